package clients

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/edit"
)

// one client for each format.
var byFormat = map[edit.Format]Client{edit.JSON: claudeDesktop(), edit.JSONC: cursor(), edit.TOML: codex(), edit.YAML: goose()}

func keysOf(f edit.Format) []string {
	return map[edit.Format][]string{edit.JSON: mcpServers, edit.JSONC: mcpServers, edit.TOML: {"mcp_servers"}, edit.YAML: {"extensions"}}[f]
}

var launch = Launch{
	Argv: []string{"/home/ada/go/bin/mcpauth", "proxy", "--profile", "orders", "--", "/usr/bin/python3", "it's \"odd\" \\ #: {x}", "größe 😀", ""},
	Env:  edit.Object{{Name: "LOG", Value: "1"}, {Name: "ODD NAME", Value: "true"}},
}

func eachFile(t *testing.T, test func(t *testing.T, f edit.Format, data []byte)) {
	for f := range byFormat {
		for name, text := range variants(f) {
			t.Run(fmt.Sprintf("%d/%s", f, name), func(t *testing.T) { test(t, f, []byte(text)) })
		}
	}
}

func mustParse(t testing.TB, f edit.Format, data []byte) map[string]any {
	t.Helper()
	tree, err := f.Parse(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return tree
}

// What is added and removed again leaves the bytes as they were.
func TestAddThenRemove(t *testing.T) {
	eachFile(t, func(t *testing.T, f edit.Format, data []byte) {
		client, keys := byFormat[f], keysOf(f)
		for _, name := range []string{"orders", "or-ders_1"} {
			path := slices.Concat(keys, []string{name})
			added, err := f.Put(data, path, client.Entry(name, launch))
			if err != nil {
				t.Fatalf("%v\n%s", err, data)
			}
			servers := client.Servers(mustParse(t, f, added), Place{Keys: keys})
			i := slices.IndexFunc(servers, func(s Server) bool { return s.Name == name })
			if i < 0 || !slices.Equal(servers[i].Argv, launch.Argv) {
				t.Fatalf("it reads as %v:\n%s", servers, added)
			}
			checkUndo(t, data, added)
			if len(edit.At(mustParse(t, f, data), keys)) == 0 {
				continue // what it was like to be empty is only known to the change
			}
			cut, err := f.Cut(added, path)
			if err != nil || !asItWas(f, cut, data) {
				t.Errorf("%v; added:\n%s\nremoved again:\n%q\nwas:\n%q", err, added, cut, data)
			}
		}
	})
}

// asItWas reports whether a file is as it was: to the byte, but in YAML, where spaces
// may differ, in meaning and comments.
func asItWas(f edit.Format, is, was []byte) bool {
	if f != edit.YAML {
		return bytes.Equal(is, was)
	}
	one, err := f.Parse(is)
	other, err2 := f.Parse(was)
	comments := regexp.MustCompile(`#[^\r\n]*`)
	return err == nil && err2 == nil && fmt.Sprintf("%#v", one) == fmt.Sprintf("%#v", other) &&
		slices.EqualFunc(comments.FindAll(is, -1), comments.FindAll(was, -1), bytes.Equal)
}

// checkUndo undoes a change, at once and after another one.
func checkUndo(t *testing.T, before, after []byte) {
	t.Helper()
	change := edit.ChangeOf(before, true, after)
	if back, exact, ok := change.Undo(after); !ok || !exact || !bytes.Equal(back, before) {
		t.Errorf("undone: %v %v\n%q\nwas:\n%q", ok, exact, back, before)
	}
	other := append(slices.Clone(after), "\n  \n"...)
	if back, exact, ok := change.Undo(other); ok && (exact || !bytes.Equal(back, append(slices.Clone(before), "\n  \n"...))) {
		t.Errorf("undone after another change: %v\n%q\nwas:\n%q", exact, back, before)
	}
}

// A server that is wrapped and unwrapped leaves the bytes as they were; wrapped,
// all its other members mean the same.
func TestWrapThenUnwrap(t *testing.T) {
	wrapped := 0
	eachFile(t, func(t *testing.T, f edit.Format, data []byte) {
		client, keys := byFormat[f], keysOf(f)
		tree := mustParse(t, f, data)
		for _, server := range client.Servers(tree, Place{Keys: keys}) {
			if len(server.Argv) == 0 || bytes.Contains(data, []byte("args: &a")) {
				continue
			}
			wrapped++
			path := slices.Concat(keys, []string{server.Name})
			argv := slices.Concat([]string{"/bin/mcpauth", "proxy", "--"}, server.Argv)
			edited := putAll(t, f, data, path, client.Command(argv))
			checkUndo(t, data, edited)
			again := putAll(t, f, edited, path, client.Command(server.Argv))
			was, is := mustParse(t, f, data), mustParse(t, f, again)
			entry := edit.At(was, path)
			if args := client.shape.args; entry[args] == nil {
				entry[args] = []any{}
			}
			if fmt.Sprint(was) != fmt.Sprint(is) {
				t.Errorf("by hand:\n%s\nwas:\n%s", again, data)
			}
		}
	})
	if wrapped < 100 {
		t.Errorf("only %d servers were wrapped", wrapped)
	}
}

// A list with an anchor is used elsewhere, too: it is left alone.
func TestAnchorsAreLeftAlone(t *testing.T) {
	data := []byte(corpus[edit.YAML]["anchors"])
	if _, err := edit.YAML.Put(data, []string{"extensions", "files", "args"}, []string{"x"}); !errors.Is(err, edit.ErrOdd) {
		t.Errorf("%v", err)
	}
	got, err := edit.YAML.Put(data, []string{"extensions", "other", "args"}, []string{"x"})
	if want := bytes.Replace(data, []byte("args: *a"), []byte("args: [x]"), 1); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\n%s", err, got)
	}
}

func putAll(t *testing.T, f edit.Format, data []byte, path []string, members edit.Object) []byte {
	t.Helper()
	for _, m := range members {
		edited, err := f.Put(data, slices.Concat(path, []string{m.Name}), m.Value)
		if err != nil {
			t.Fatalf("%s: %v\n%s", m.Name, err, data)
		}
		data = edited
	}
	return data
}

// Every server of a file can be removed, and nothing else goes.
func TestRemoveAny(t *testing.T) {
	eachFile(t, func(t *testing.T, f edit.Format, data []byte) {
		if bytes.Contains(data, []byte("args: &a")) {
			return
		}
		tree := mustParse(t, f, data)
		for _, name := range slices.Sorted(maps.Keys(edit.At(tree, keysOf(f)))) {
			cut, err := f.Cut(data, slices.Concat(keysOf(f), []string{name}))
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, data)
			}
			for _, note := range []string{"// files", "# files\n  files", "/* servers */", "// settings of Ada", "# Codex of Ada", "# projects"} {
				if bytes.Contains(data, []byte(note)) && !bytes.Contains(cut, []byte(note[:4])) {
					t.Errorf("%s took %q along:\n%s", name, note, cut)
				}
			}
		}
	})
}

func TestWhatIsAdded(t *testing.T) {
	for _, test := range []struct {
		f            edit.Format
		before, want string
	}{
		{edit.JSON, "", "{\n  \"mcpServers\": {\n    \"orders\": {\n      \"command\": \"m\",\n      \"args\": [\"proxy\", \"--\", \"c\"]\n    }\n  }\n}\n"},
		{edit.JSON, "{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}\n",
			"{\n\t\"a\": {\n\t\t\"b\": 1\n\t},\n\t\"mcpServers\": {\n\t\t\"orders\": {\n\t\t\t\"command\": \"m\",\n\t\t\t\"args\": [\"proxy\", \"--\", \"c\"]\n\t\t}\n\t}\n}\n"},
		{edit.JSON, `{"mcpServers":{"a":{"command":"a"}}}`, `{"mcpServers":{"a":{"command":"a"},"orders":{"command":"m","args":["proxy","--","c"]}}}`},
		{edit.JSONC, "{\n  \"mcpServers\": {\n    \"a\": {} // last\n  }\n}\n",
			"{\n  \"mcpServers\": {\n    \"a\": {}, // last\n    \"orders\": {\n      \"command\": \"m\",\n      \"args\": [\"proxy\", \"--\", \"c\"]\n    }\n  }\n}\n"},
		{edit.TOML, "a = 1\n", "a = 1\n\n[mcp_servers.orders]\ncommand = \"m\"\nargs = [\"proxy\", \"--\", \"c\"]\n"},
		{edit.TOML, "mcp_servers = { a = { command = \"a\" } }\n",
			"mcp_servers = { a = { command = \"a\" }, orders = { command = \"m\", args = [\"proxy\", \"--\", \"c\"] } }\n"},
		{edit.YAML, "extensions:\n  a:\n    cmd: a\n\n# end\nb: 1\n",
			"extensions:\n  a:\n    cmd: a\n  orders:\n    enabled: true\n    type: stdio\n    name: orders\n    cmd: m\n    args:\n" +
				"      - proxy\n      - \"--\"\n      - c\n    timeout: 300\n\n# end\nb: 1\n"},
	} {
		path := slices.Concat(keysOf(test.f), []string{"orders"})
		got, err := test.f.Put([]byte(test.before), path, byFormat[test.f].Entry("orders", Launch{Argv: []string{"m", "proxy", "--", "c"}}))
		if err != nil || string(got) != test.want {
			t.Errorf("%v: %v\n%s\nwant:\n%s", test.f, err, got, test.want)
		}
	}
}

// Files that do not parse, or that two readers could read differently, are
// refused and say where.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		f    edit.Format
		text string
		line int
	}{
		{edit.JSON, "{\n  \"a\": 1,\n}\n", 1},
		{edit.JSON, "{\n  // c\n}\n", 1},
		{edit.JSON, "[]", 1},
		{edit.JSONC, "{\n  \"a\": 1\n  \"b\": 2\n}\n", 3},
		{edit.JSONC, "{\n  \"mcpServers\": {\n", 3},
		{edit.JSONC, "{\"mcpServers\": {\"a\": {}}} x", 1},
		{edit.TOML, "a = 1\nb = \n", 2},
		{edit.TOML, "a = 1\na = 2\n", 2},
		{edit.YAML, "a: 1\n b: 2\n", 1},
		{edit.YAML, "a: 1\n---\nb: 2\n", 3},
		{edit.YAML, "- a\n", 1},
		{edit.YAML, "a: 1\na: 2\n", 2},
	} {
		_, err := test.f.Put([]byte(test.text), slices.Concat(keysOf(test.f), []string{"x"}), edit.Object{{Name: "a", Value: "b"}})
		var at *edit.LineError
		if !errors.As(err, &at) || at.Line != test.line {
			t.Errorf("%v: %q: %v (%+v)", test.f, test.text, err, at)
		}
	}
	for f, text := range map[edit.Format]string{
		edit.JSON:  `{"mcpServers": [], "a": 1}`,
		edit.JSONC: `{"mcpServers": {"x": {}, "x": {}}}`,
		edit.TOML:  "mcp_servers = 1\n",
		edit.YAML:  "extensions: [a]\n",
	} {
		_, err := f.Put([]byte(text), slices.Concat(keysOf(f), []string{"x"}), edit.Object{{Name: "a", Value: "b"}})
		if !errors.Is(err, edit.ErrOdd) {
			t.Errorf("%v: %q: %v", f, text, err)
		}
	}
	for f := range byFormat {
		var at *edit.LineError
		if _, err := f.Parse([]byte("\xff\xfe{\x00}\x00")); !errors.As(err, &at) || !strings.Contains(at.Error(), "UTF-16") {
			t.Errorf("%v: UTF-16: %v", f, err)
		}
	}
	for _, text := range []string{"\ra: 1\nb: 2\n", "{a: {\rb: 1}}\n"} {
		if _, err := edit.YAML.Put([]byte(text), []string{"extensions", "x"}, edit.Object{{Name: "a", Value: "b"}}); !errors.Is(err, edit.ErrOdd) {
			t.Errorf("a carriage return alone: %q: %v", text, err)
		}
	}
}

// Whatever a file looks like: an edit means what was asked for and can be undone,
// or it is refused.
func FuzzEdit(f *testing.F) {
	for format := range byFormat {
		for _, text := range variants(format) {
			f.Add(int(format), text, "orders", "--", "größe")
		}
	}
	f.Fuzz(func(t *testing.T, number int, text, name, arg, more string) {
		format := edit.Format(max(0, number) % len(byFormat))
		data := []byte(text)
		tree, err := format.Parse(data)
		if err != nil || name == "" {
			return
		}
		path := slices.Concat(keysOf(format), []string{name})
		added, err := format.Put(data, path, byFormat[format].Entry(name, Launch{Argv: []string{"m", arg, more}}))
		if err != nil {
			return
		}
		back, exact, ok := edit.ChangeOf(data, true, added).Undo(added)
		if !ok || !exact || !bytes.Equal(back, data) {
			t.Errorf("undone: %v %v %q, was %q", ok, exact, back, data)
		}
		if edit.At(tree, path) != nil {
			return
		}
		cut, err := format.Cut(added, path)
		if err != nil {
			t.Errorf("%v: cannot be removed again:\n%s", err, added)
			return
		}
		if !format.DiffersOnlyAt(cut, data, path) {
			t.Errorf("removed again it means\n%s\nwas\n%s", cut, data)
		}
	})
}

func TestParseProxy(t *testing.T) {
	for _, test := range []struct {
		argv []string
		want Proxy
		ok   bool
	}{
		{[]string{"/bin/mcpauth", "proxy", "--", "python3", "m.py"}, Proxy{"/bin/mcpauth", nil, true, []string{"python3", "m.py"}}, true},
		{[]string{`C:\bin\MCPAUTH.EXE`, "proxy", "--profile", "p", "python3"}, Proxy{`C:\bin\MCPAUTH.EXE`, []string{"--profile", "p"}, false, []string{"python3"}}, true},
		{[]string{"mcpauth-proxy", "--config=c", "proxy", "-p", "x", "--restart", "--", "a", "--", "b"},
			Proxy{"mcpauth-proxy", []string{"--config=c", "-p", "x", "--restart"}, true, []string{"a", "--", "b"}}, true},
		{[]string{"mcpauth", "proxy", "-px"}, Proxy{"mcpauth", []string{"-px"}, false, nil}, true},
		{[]string{"mcpauth", "token"}, Proxy{}, false},
		{[]string{"python3", "proxy"}, Proxy{}, false},
		{[]string{"/opt/mcpauthx", "proxy"}, Proxy{}, false},
		{nil, Proxy{}, false},
	} {
		got, ok := ParseProxy(test.argv)
		if ok != test.ok || got.Program != test.want.Program || got.Separator != test.want.Separator ||
			!slices.Equal(got.Flags, test.want.Flags) || !slices.Equal(got.Child, test.want.Child) {
			t.Errorf("%q: %+v %v", test.argv, got, ok)
		}
	}
}

// OpenCode 2 keeps its servers one level deeper, without enabled. A file that has
// none yet, or a server that is called so, is of the older form.
func TestFormsOfOpenCode(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "mcp", `{"mcp": {}}`: "mcp", `{"mcp": {"a": {"type": "local", "command": ["a"]}}}`: "mcp",
		`{"mcp": {"servers": {"type": "local", "command": ["a"]}}}`: "mcp", `{"mcp": {"servers": {"enabled": false}}}`: "mcp",
		`{"mcp": {"servers": {}}}`: "mcp.servers", `{"mcp": {"timeout": {}, "servers": {"a": {"type": "local", "command": ["a"], "disabled": true}}}}`: "mcp.servers",
	} {
		tree := mustParse(t, edit.JSONC, []byte(text))
		c, p := opencode().As(tree, Place{Keys: []string{"mcp"}})
		if got := strings.Join(p.Keys, "."); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		_, enabled := edit.Plain(c.Entry("x", launch)).(map[string]any)["enabled"]
		if enabled == (want == "mcp.servers") {
			t.Errorf("%s: enabled is written: %v", text, enabled)
		}
		if again, q := c.As(tree, p); !reflect.DeepEqual(q, p) || !reflect.DeepEqual(again.shape, c.shape) {
			t.Errorf("%s: asked twice it is %v", text, q)
		}
		for _, s := range c.Servers(tree, p) {
			if s.Name == "a" && (!slices.Equal(s.Argv, []string{"a"}) || s.Disabled != (want == "mcp.servers")) {
				t.Errorf("%s: %+v", text, s)
			}
		}
	}
}

// Each client's entry reads back as it was meant.
func TestEntriesReadBack(t *testing.T) {
	for _, c := range All() {
		entry := c.Entry("orders", launch)
		for _, name := range []string{"b", "a"} {
			tree := map[string]any{"k": map[string]any{name: edit.Plain(entry)}}
			got := c.Servers(tree, Place{Keys: []string{"k"}})
			if len(got) != 1 || !slices.Equal(got[0].Argv, launch.Argv) || got[0].Disabled {
				t.Errorf("%s: %+v", c.ID, got)
			}
		}
		for _, m := range c.Command(launch.Argv) {
			if i := slices.IndexFunc(entry, func(e edit.Member) bool { return e.Name == m.Name }); i < 0 || !reflect.DeepEqual(entry[i], m) {
				t.Errorf("%s: %s", c.ID, m.Name)
			}
		}
	}
}
