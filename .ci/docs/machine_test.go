package docs

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// machine is what a reader has in front of them.
type machine struct {
	home     string
	clone    string            // of the repository
	programs string            // folder of mcpauth
	places   *strings.Replacer // the documents' made-up addresses and paths, and what stands for them here
}

var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mcpauth-docs-")
	if err != nil {
		return "", err
	}
	output, err := exec.Command("go", "build", "-o", dir, "github.com/mcpauth/mcpauth/cmd/mcpauth").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building mcpauth: %w\n%s", err, output)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if dir, err := programs(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

// newMachine starts the company of the documents, Example Inc., and runs the
// script that sets the reader's machine up.
func newMachine(t *testing.T, setUp string) *machine {
	t.Helper()
	if os.Getenv("MCPAUTH_KEYRING_PRIVATE") == "" {
		t.Fatal("this needs a keychain of its own: .ci/keyring go test ./.ci/docs")
	}
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	okta := provider(t, demoidp.Client{ID: "0oaEXAMPLE", RedirectURIs: []string{
		"http://localhost:3001/oauth/callback", "http://127.0.0.1:8765/callback", "http://127.0.0.1:18765/callback", "http://127.0.0.1:28765/callback"}})
	company := provider(t, demoidp.Client{ID: "mcpauth-desktop"}, demoidp.Client{ID: "YOUR_CLIENT_ID"})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		io.WriteString(w, "2 orders\n")
	}))
	t.Cleanup(api.Close)
	m := &machine{home: t.TempDir(), clone: clone(t), programs: dir}
	server := filepath.Join(m.clone, "examples/python/main.py")
	m.places = strings.NewReplacer("https://example.okta.com", okta, "https://login.example.com", company,
		"https://api.example.com", api.URL, "/srv/orders/main.py", server, "/path/to/main.py", server)
	if err := os.WriteFile(filepath.Join(m.clone, "browser"), []byte(browser), 0o700); err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("bash", "-euo", "pipefail", "-c", m.here(setUp))
	shell.Env, shell.Dir = m.environ(), m.clone
	if output, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("setting up: %v\n%s", err, output)
	}
	return m
}

func provider(t *testing.T, clients ...demoidp.Client) (issuer string) {
	t.Helper()
	server, err := demoidp.Start(demoidp.Options{AutoApprove: true, Clients: clients})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server.Issuer()
}

// here is a text of the documents as it is typed on this machine.
func (m *machine) here(text string) string { return m.places.Replace(text) }

// browser approves whatever it is shown. A real one takes longer than login
// waits before it explains itself, and so does this.
const browser = `#!/bin/sh
sleep 1
exec curl --silent --location --cookie '' --output /dev/null "$1"
`

// environ is that of a login shell.
func (m *machine) environ() []string {
	environ := []string{"HOME=" + m.home, "PATH=" + m.programs + ":" + os.Getenv("PATH"), "TERM=xterm-256color",
		"BROWSER=" + filepath.Join(m.clone, "browser")}
	for _, name := range []string{"DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "npm_config_cache"} {
		if value, ok := os.LookupEnv(name); ok {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

// clone copies the repository, as it is now, into a folder of its own, with the
// server that the documents call main.py.
func clone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	copying := exec.Command("bash", "-euo", "pipefail", "-c",
		`git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$0"; ln -s examples/python/main.py "$0"`, dir)
	copying.Dir = repository
	if output, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("copying the repository: %v\n%s", err, output)
	}
	return dir
}
