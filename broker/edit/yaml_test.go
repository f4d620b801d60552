package edit

import "testing"

// What the library's own paths lose or refuse (docs/decisions/0021).
func TestYAMLKeepsWhatIsNotTheEntry(t *testing.T) {
	entry := Object{{"cmd", "mcpauth"}}
	for name, test := range map[string]struct {
		before string
		path   []string
		value  any
		after  string
	}{
		"a comment beside what is replaced": {
			"extensions:\n  # about a\n  a:\n    cmd: 'a' # why\n    args: [x]\nother: \"q\" # foot\n",
			[]string{"extensions", "a", "cmd"}, "mcpauth",
			"extensions:\n  # about a\n  a:\n    cmd: mcpauth # why\n    args: [x]\nother: \"q\" # foot\n",
		},
		"nothing in it": {"extensions:\nother: 1\n", []string{"extensions", "a"}, entry, "extensions:\n  a:\n    cmd: mcpauth\nother: 1\n"},
		"not there":     {"other: 1 # one\n", []string{"extensions", "a"}, entry, "other: 1 # one\nextensions:\n  a:\n    cmd: mcpauth\n"},
		"braces":        {"extensions: {}\nother: 1\n", []string{"extensions", "a"}, entry, "extensions: {a: {cmd: mcpauth}}\nother: 1\n"},
		"a text that looks like a number": {
			"extensions:\n  a: {}\n", []string{"extensions", "a", "cmd"}, "1e3", "extensions:\n  a: {cmd: \"1e3\"}\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := YAML.Put([]byte(test.before), test.path, test.value)
			if err != nil || string(got) != test.after {
				t.Errorf("%v, got:\n%s\nwant:\n%s", err, got, test.after)
			}
		})
	}
}
