package transparency

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

// subject is a server that the proxy must not be noticed in front of.
type subject struct {
	name    string
	argv    []string // $FOLDER in it is a folder with files
	scripts map[string][]string
}

// both scripts of a server that speaks both eras.
func both(name string) map[string][]string {
	return map[string][]string{name: revisions[:4], name + "-modern": revisions[4:]}
}

func servers() []subject {
	npm := absolute("node_modules/@modelcontextprotocol")
	return []subject{
		{"puppet", part("puppet"), map[string][]string{"messages": revisions}},
		{"server-everything", []string{"node", npm + "/server-everything/dist/index.js"},
			map[string][]string{"everything": revisions[:4]}},
		{"server-filesystem", []string{"node", npm + "/server-filesystem/dist/index.js", "$FOLDER"},
			map[string][]string{"filesystem": revisions[:4]}},
		{"go-sdk", []string{suite.Program("everything-server")}, both("gosdk")},
		{"mcp-go", part("mcpgo"), both("mcpgo")},
		{"python", []string{"python3", absolute("../../examples/python/main.py")}, both("python")},
	}
}

// TestProxyIsTransparent plays each script to its server directly, through the
// proxy, and directly again. What differs between the direct runs is the
// server's own; nothing else may differ. The run in the middle is also watched
// from both ends, where not even that is forgiven.
func TestProxyIsTransparent(t *testing.T) {
	for _, server := range servers() {
		for name, spoken := range server.scripts {
			for _, revision := range spoken {
				t.Run(server.name+"/"+revision, func(t *testing.T) {
					t.Parallel()
					compare(t, server, name, revision)
				})
			}
		}
	}
}

func compare(t *testing.T, server subject, name, revision string) {
	m := newMachine(t)
	folder, recording := filepath.Join(m.home, "files"), t.TempDir()
	argv := slices.Clone(server.argv)
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], "$FOLDER", folder)
	}
	steps := script(t, name, revision, values(revision, folder))
	before := m.talk(t, argv, steps)
	through := m.talk(t, proxied(tee(recording, argv)), steps)
	through.received, through.said = recorded(t, recording, "received"), recorded(t, recording, "said")
	after := m.talk(t, argv, steps)

	known, err := learn(before.heard, after.heard)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(known)) {
		t.Logf("different each time without the proxy: %s: %s", key, strings.Join(known[key], " "))
	}
	for _, what := range differences(before.heard, through.heard, known) {
		t.Errorf("not as without the proxy: %s", what)
	}
	for _, what := range altered(through) {
		t.Errorf("altered by the proxy: %s", what)
	}
	if server.name == "puppet" {
		covered(t, revision, through)
	}
}

// talk is one session in a home that is as it was before.
func (m *machine) talk(t *testing.T, argv []string, steps []step) run {
	t.Helper()
	fillFolder(t, filepath.Join(m.home, "files"))
	s := open(t, m.command(argv))
	err := s.play(steps)
	r := run{sent: s.sent, heard: s.heard}
	r.farewell = s.close()
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(argv[0]), err)
	}
	return r
}

// fillFolder makes the files that server-filesystem works on.
func fillFolder(t *testing.T, folder string) {
	t.Helper()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"notes.txt":      "first\nsecond\nthird\n",
		"deep/er/one.md": "# ünïcödé \u2028 \U0001F600\n",
		"large.txt":      strings.Repeat("0123456789abcde\n", 1<<16),
		"empty":          "",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
