package config

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mcpauth/mcpauth/broker/problem"
)

var added = Profile{
	Issuer:       "https://new.example.com",
	ClientID:     `odd "id" \ 'x'`,
	ClientSecret: "keychain:new",
	Scopes:       []string{"openid", "email"},
	RedirectURIs: []string{"http://127.0.0.1:8765/callback"},
	Command:      []string{"python3", "-c", "print(1)\nprint(\"[profiles.x]\")"},
	Cwd:          "/srv/new",
}

// writeConfig puts a file into a new folder and returns its path.
func writeConfig(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, data, 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestAddThenRemove: over files as people write them, a profile that is added
// and removed again leaves the same bytes and the same mode.
func TestAddThenRemove(t *testing.T) {
	for name, data := range corpus(t) {
		for _, profile := range []string{"new", "new.one"} {
			t.Run(name+"/"+profile, func(t *testing.T) {
				path := writeConfig(t, data)
				if err := AddProfile(t.Context(), path, profile, added); err != nil {
					t.Fatal(err)
				}
				c, err := Load(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(added, c.Profiles[profile]); diff != "" {
					t.Error(diff)
				}
				if edited := readFile(t, path); !strings.HasPrefix(edited, string(data)) {
					t.Errorf("more than an addition at the end:\n%s", edited)
				}
				if err := RemoveProfile(t.Context(), path, profile); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(data), readFile(t, path)); diff != "" {
					t.Error(diff)
				}
				if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
					t.Errorf("mode became %v", info.Mode())
				}
			})
		}
	}
}

// TestRemoveFromCorpus: every profile of every file can be removed, and the
// others mean what they meant.
func TestRemoveFromCorpus(t *testing.T) {
	for name, data := range corpus(t) {
		before, err := Parse(name, data)
		if err != nil {
			t.Fatal(err)
		}
		for profile := range before.Profiles {
			path := writeConfig(t, data)
			if err := RemoveProfile(t.Context(), path, profile); err != nil {
				t.Errorf("%s %s: %v", name, profile, err)
				continue
			}
			after, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			want := File{DefaultProfile: before.DefaultProfile, Defaults: before.Defaults, Profiles: withoutProfile(before.Profiles, profile)}
			if want.DefaultProfile == profile {
				want.DefaultProfile = ""
			}
			if diff := cmp.Diff(want, after, cmpopts.IgnoreUnexported(File{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s %s: %s", name, profile, diff)
			}
		}
	}
}

// TestRemoveProfile: what goes and what stays, to the byte.
func TestRemoveProfile(t *testing.T) {
	tests := []struct{ name, before, after string }{
		{"comments around stay",
			"# head\n\n# about p\n[profiles.p]\nissuer = 'https://a.example' # its own\n# within\nclient_id = 'x'\n# about q\n[profiles.q]\n",
			"# head\n\n# about p\n# about q\n[profiles.q]\n"},
		{"the gap goes", "[profiles.q]\n\n[profiles.p]\nclient_id = 'x'\n\n[profiles.r]\n", "[profiles.q]\n\n[profiles.r]\n"},
		{"parts in several places",
			"profiles.p.issuer = 'https://a.example'\ndefault_profile = 'q'\nprofiles.\"p\".client_id = 'x'\nprofiles.q.client_id = 'y'\n",
			"default_profile = 'q'\nprofiles.q.client_id = 'y'\n"},
		{"the default", "default_profile = 'p' # mine\n\n[profiles.\"p\"]\n", ""},
		{"multi-line value", "[profiles.p]\nscopes = [\n  'a', # [profiles.q]\n  'b',\n]\n[profiles.q]\n", "[profiles.q]\n"},
		{"inline, first", "profiles = { p = { client_id = 'x' }, q = { client_id = 'y' } }\n", "profiles = { q = { client_id = 'y' } }\n"},
		{"inline, last", "profiles = { q = { client_id = 'y' }, p = { client_id = 'x' } }\n", "profiles = { q = { client_id = 'y' } }\n"},
		{"inline, only", "profiles = { p = { client_id = 'x' } }", "profiles = {  }"},
		{"inline, dotted", "profiles = { p.client_id = 'x', q = {}, p.audience = 'y' }", "profiles = { q = {} }"},
		{"inline, over lines", "profiles = {\n  q = {},\n  p = {}, # gone\n  r = {},\n}\n", "profiles = {\n  q = {}, # gone\n  r = {},\n}\n"},
		{"in its parent", "[profiles]\np.client_id = 'x'\nq.client_id = 'y'\np.audience = 'z'\n", "[profiles]\nq.client_id = 'y'\n"},
		{"CRLF", "[profiles.q]\r\n\r\n[profiles.p]\r\nclient_id = 'x'\r\n", "[profiles.q]\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := writeConfig(t, []byte(tt.before))
			if err := RemoveProfile(t.Context(), path, "p"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.after, readFile(t, path)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRemoveSubtables: a later version may keep tables under a profile; cut
// takes them along, wherever they stand.
func TestRemoveSubtables(t *testing.T) {
	before := "[profiles.p.policy]\nsource = 'x'\n\n[profiles.q]\n\n[profiles.p]\nclient_id = 'x'\n\n[[profiles.'p'.rules]]\na = 1\n"
	after, err := cutProfile([]byte(before), "p", false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("\n[profiles.q]\n", string(after)); diff != "" {
		t.Error(diff)
	}
}

func TestSetDefault(t *testing.T) {
	const p = "[profiles.p]\n"
	tests := []struct{ name, before, after string }{
		{"replaced", "default_profile   =   'q' # mine\n" + p, "default_profile   =   \"p\" # mine\n" + p},
		{"odd spelling", "'default_profile'=\"\"\"q\"\"\"\r\n" + p, "'default_profile'=\"p\"\r\n" + p},
		{"before the first table", p, "default_profile = \"p\"\n\n" + p},
		{"above its comment, below the head", "# head\n\n# about p\n# more\n" + p, "# head\n\ndefault_profile = \"p\"\n\n# about p\n# more\n" + p},
		{"after a key outside", "profiles.q.client_id = 'x' # q\n\n" + p, "profiles.q.client_id = 'x' # q\ndefault_profile = \"p\"\n\n" + p},
		{"no table at all", "profiles.p.client_id = 'x'", "profiles.p.client_id = 'x'\ndefault_profile = \"p\""},
		{"CRLF and BOM", bom + "[profiles.p]\r\n", bom + "default_profile = \"p\"\r\n\r\n[profiles.p]\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := writeConfig(t, []byte(tt.before))
			if err := SetDefault(t.Context(), path, "p"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.after, readFile(t, path)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEditRefusals(t *testing.T) {
	tests := []struct {
		name, file string
		edit       func(t *testing.T, path string) error
		want       string
	}{
		{"profile is there", "[profiles.p]\n", addNamed("p"), "profile p is already in"},
		{"bad name", "", addNamed("-p"), `profile name "-p" must be`},
		{"bad value", "", func(t *testing.T, path string) error {
			return AddProfile(t.Context(), path, "p", Profile{Issuer: "http://a.example"})
		}, "issuer must begin with https://"},
		{"literal secret", "", func(t *testing.T, path string) error {
			return AddProfile(t.Context(), path, "p", Profile{ClientSecret: "hunter2"})
		}, "a secret never stands in the file"},
		{"file that does not load", "x = 1\n", addNamed("p"), ":1: unknown key"},
		{"closed inline table", "profiles = { q = {} }\n", addNamed("p"), "cannot edit"},
		{"differs only by case", "[profiles.P]\n", addNamed("p"), "cannot edit"},
		{"remove what is not there", "[profiles.prod]\n", func(t *testing.T, path string) error {
			return RemoveProfile(t.Context(), path, "prd")
		}, `there is no profile "prd"; did you mean prod?`},
		{"default that is not there", "[profiles.prod]\n", func(t *testing.T, path string) error {
			return SetDefault(t.Context(), path, "x")
		}, `there is no profile "x"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := writeConfig(t, []byte(tt.file))
			err := tt.edit(t, path)
			var problem *problem.Problem
			if !errors.As(err, &problem) || !strings.Contains(problem.Msg, tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if got := readFile(t, path); got != tt.file {
				t.Errorf("the file changed: %s", got)
			}
		})
	}
}

func addNamed(name string) func(*testing.T, string) error {
	return func(t *testing.T, path string) error { return AddProfile(t.Context(), path, name, added) }
}

func TestAddToNewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".config", "mcpauth", "config.toml")
	if err := AddProfile(t.Context(), path, "p", Profile{Issuer: "https://a.example", ClientID: "x"}); err != nil {
		t.Fatal(err)
	}
	want := "[profiles.p]\nissuer = 'https://a.example'\nclient_id = 'x'\n"
	if got := readFile(t, path); got != want {
		t.Errorf("got %s", got)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700, filepath.Dir(filepath.Dir(path)): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

// TestEditThroughLink: a file that lives in a dotfile repository stays a link.
func TestEditThroughLink(t *testing.T) {
	target := writeConfig(t, []byte("# dotfiles\n"))
	link := filepath.Join(t.TempDir(), "config.toml")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := AddProfile(t.Context(), link, "p", added); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v %v", info, err)
	}
	if got := readFile(t, target); !strings.Contains(got, "[profiles.p]") {
		t.Errorf("the target has %s", got)
	}
	if entries, _ := os.ReadDir(filepath.Dir(target)); len(entries) != 1 {
		t.Errorf("left beside the target: %v", entries)
	}
	if err := os.Remove(target); err != nil {
		t.Fatal(err)
	}
	if err := AddProfile(t.Context(), link, "p", added); err == nil || !strings.Contains(err.Error(), "which is not there") {
		t.Errorf("dangling link: %v", err)
	}
}

// TestParallelEdits: without the lock, edits of one moment lose one another.
func TestParallelEdits(t *testing.T) {
	path := writeConfig(t, []byte("# shared\n"))
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() {
			if err := AddProfile(t.Context(), path, name, added); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	c, err := Load(path)
	if err != nil || len(c.Profiles) != len(names) {
		t.Errorf("%d of %d profiles kept, %v", len(c.Profiles), len(names), err)
	}
}

// FuzzEdit: for every file that loads, add then remove gives back its bytes,
// and no edit leaves a file that does not load.
func FuzzEdit(f *testing.F) {
	for _, data := range corpus(f) {
		f.Add(bytes.TrimPrefix(data, []byte(bom)), "new", "client")
	}
	f.Fuzz(func(t *testing.T, data []byte, name, clientID string) {
		before, err := Parse("c.toml", data)
		if err != nil || bytes.HasPrefix(data, []byte(bom)) || checkProfileName(name) != nil || checkClientID(clientID) != nil {
			return
		}
		if _, ok := before.Profiles[name]; ok {
			removed, err := cutProfile(data, name, before.DefaultProfile == name)
			if err != nil {
				t.Fatal(err)
			}
			want := before
			want.Profiles = withoutProfile(before.Profiles, name)
			if before.DefaultProfile == name {
				want.DefaultProfile = ""
			}
			if err := checkEdit("c.toml", removed, want); err != nil {
				t.Fatalf("%v\nbefore %q\nafter  %q", err, data, removed)
			}
			return
		}
		edited, err := appendProfile(data, name, Profile{ClientID: clientID})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse("c.toml", edited); err != nil {
			return // what checkEdit refuses: a closed inline table, a name that differs by case
		}
		got, err := cutProfile(edited, name, false)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data) {
			t.Fatalf("before %q\nadded  %q\nafter  %q", data, edited, got)
		}
	})
}

// FuzzSetDefault: the default is set and nothing else changes its meaning.
func FuzzSetDefault(f *testing.F) {
	for _, data := range corpus(f) {
		f.Add(bytes.TrimPrefix(data, []byte(bom)), "new")
	}
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		c, err := Parse("c.toml", data)
		if err != nil || bytes.HasPrefix(data, []byte(bom)) || checkProfileName(name) != nil {
			return
		}
		edited, err := setTop(data, "default_profile", name)
		if err != nil {
			t.Fatal(err)
		}
		c.DefaultProfile = name
		if err := checkEdit("c.toml", edited, c); err != nil {
			t.Fatalf("%v\nbefore %q\nafter  %q", err, data, edited)
		}
	})
}
