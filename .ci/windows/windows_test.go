package windows

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/.ci/suite"
	"github.com/mcpauth/mcpauth/broker/demoidp"
)

func TestVersionAndDemo(t *testing.T) {
	m := newMachine(t)
	out, _ := m.run(0, "version")
	wantText(t, out, "mcpauth ")
	out, talk := m.run(0, "demo")
	wantText(t, out+talk, "ada@example.com signed in", "Windows Credential Manager")
}

// TestReaderThatGoes is `mcpauth demo | head -1`.
func TestReaderThatGoes(t *testing.T) {
	m := newMachine(t)
	command := m.command("demo")
	var talk suite.Output
	command.Stderr = &talk
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReaderSize(out, 16).ReadString('\n')
	if err != nil {
		t.Error(err)
	}
	_ = out.Close()
	if err := command.Wait(); err == nil {
		t.Error("half an answer counts as a whole one")
	}
	if strings.Contains(talk.String(), "mcpauth:") {
		t.Errorf("after %q: %s", line, talk.String())
	}
}

// startProvider is demoidp with tokens that live for so many seconds after a
// sign-in, and for an hour after a refresh.
func startProvider(t *testing.T, seconds int) *demoidp.Server {
	t.Helper()
	provider, err := demoidp.Start(demoidp.Options{AutoApprove: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Close() })
	provider.SetFault(func(endpoint string) demoidp.Fault {
		if endpoint != "authorization_code" {
			return demoidp.Fault{}
		}
		return demoidp.Fault{Edit: func(answer map[string]any) { answer["expires_in"] = seconds }}
	})
	return provider
}

func (m *machine) login(provider *demoidp.Server) {
	m.t.Helper()
	out, _ := m.run(0, "login", "--issuer", provider.Issuer(), "--client-id", demoidp.DefaultClientID)
	wantText(m.t, out, "ada@example.com")
}

// TestSignInToLogout: four proxies share a sign-in over its refresh, which one of
// them makes; all is in the audit log, and a logout ends it for all.
func TestSignInToLogout(t *testing.T) {
	provider := startProvider(t, 20)
	m := newMachine(t)
	m.login(provider)
	signInEnds := time.Now().Add(20 * time.Second).Unix()
	out, _ := m.run(0, "status")
	wantText(t, out, "ada@example.com")

	proxies := make([]*proxy, 4)
	last := make([]user, len(proxies))
	for i := range proxies {
		proxies[i] = m.proxy()
	}
	var all sync.WaitGroup
	for i, p := range proxies {
		all.Go(func() {
			deadline := time.Now().Add(patience)
			for last[i].expires <= signInEnds && time.Now().Before(deadline) {
				last[i] = p.user()
				time.Sleep(200 * time.Millisecond)
			}
		})
	}
	all.Wait()
	for i, u := range last {
		if u.expires <= signInEnds || u.expires != last[0].expires {
			t.Errorf("proxy %d has a token that ends at %d, proxy 0 at %d, the sign-in at %d", i, u.expires, last[0].expires, signInEnds)
		}
	}
	if n := provider.Count("refresh_token"); n != 1 {
		t.Errorf("%d refreshes", n)
	}

	m.run(0, "logout")
	for _, p := range proxies {
		wantSignedOut(t, p)
		p.end()
	}
	m.run(4, "token")
	m.run(0, "audit", "verify")
	out, _ = m.run(0, "audit", "list", "--limit", "0")
	wantText(t, out, "whoami")
}

// wantSignedOut polls: running proxies follow within a second.
func wantSignedOut(t *testing.T, p *proxy) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		text, failed := p.call()
		if failed && strings.Contains(text, "mcpauth login") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still signed in: %q", text)
		}
	}
}

// TestKilledProxyLeavesNoOrphan: TerminateProcess is the SIGKILL of Windows.
func TestKilledProxyLeavesNoOrphan(t *testing.T) {
	m := newMachine(t)
	m.login(startProvider(t, 3600))
	p := m.proxy()
	u := p.user()
	gone := make(chan int, 2)
	for _, pid := range []int{u.server, u.child} {
		process, err := os.FindProcess(pid) // which has a handle from here on
		if err != nil {
			t.Fatalf("process %d: %v", pid, err)
		}
		go func() { _, _ = process.Wait(); gone <- pid }()
	}
	select {
	case pid := <-gone:
		t.Fatalf("process %d ended by itself", pid)
	case <-time.After(500 * time.Millisecond):
	}
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.command.Wait()
	for range 2 {
		select {
		case <-gone:
		case <-time.After(patience):
			t.Fatal("the server or its child is still there")
		}
	}
}

// TestClientFilesWithCRLF: what mcpauth writes into a client's file has the ends of
// line of the file, and what it takes out again leaves every byte as it was.
func TestClientFilesWithCRLF(t *testing.T) {
	m := newMachine(t)
	m.run(0, "profile", "add", "work", "--issuer", "https://login.example.com", "--client-id", "c")
	files := map[string]string{
		"cursor": "{\r\n  // of Ada\r\n  'mcpServers': {\r\n    'files': {\r\n      'command': 'SELF',\r\n      'args': ['server'],\r\n    },\r\n  },\r\n}\r\n",
		"codex":  "# of Ada\r\nmodel = 'x'\r\n\r\n[mcp_servers.files]\r\ncommand = 'SELF'\r\nargs = ['server']\r\n",
	}
	paths := map[string]string{"cursor": `.cursor\mcp.json`, "codex": `.codex\config.toml`}
	for client, text := range files {
		t.Run(client, func(t *testing.T) {
			m := &machine{t, m.home}
			before := []byte(strings.NewReplacer("SELF", filepath.ToSlash(self(t)), "'", `"`).Replace(text))
			path := filepath.Join(m.home, paths[client])
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, before, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, step := range []struct{ change, undo []string }{
				{[]string{"wrap", client, "files", "--yes", "--profile", "work"}, []string{"unwrap", client, "files", "--yes"}},
				{
					[]string{"add", client, "--name", "more", "--yes", "--profile", "work", "--", self(t), "server"},
					[]string{"remove", client, "--name", "more", "--yes"},
				},
			} {
				m.run(0, append([]string{"client"}, step.change...)...)
				after, err := os.ReadFile(path)
				if err != nil || bytes.Equal(after, before) || !bytes.Contains(after, []byte("mcpauth.exe")) {
					t.Errorf("%v: %v\n%s", step.change, err, after)
				}
				if bytes.Count(after, []byte("\n")) != bytes.Count(after, []byte("\r\n")) || !bytes.Contains(after, []byte("of Ada\r\n")) {
					t.Errorf("%v: ends of line are mixed: %q", step.change, after)
				}
				m.run(0, append([]string{"client"}, step.undo...)...)
				if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
					t.Errorf("%v: %v\n%q\nwant\n%q", step.undo, err, after, before)
				}
			}
		})
	}
}

// TestPackages runs the tests of packages that were compiled for Windows.
func TestPackages(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range tested {
		t.Run(one.folder, func(t *testing.T) {
			path := testProgram(os.Getenv(programsVariable), one.folder)
			command := exec.CommandContext(t.Context(), path, "-test.v", "-test.timeout=5m", "-test.run="+one.tests)
			command.Dir = filepath.Join(root, filepath.FromSlash(one.folder))
			var said bytes.Buffer
			command.Stdout, command.Stderr = &said, &said
			err := command.Run()
			passed := bytes.Count(said.Bytes(), []byte("--- PASS"))
			if err != nil || passed == 0 {
				t.Errorf("%v, %d tests passed\n%s", err, passed, failures(said.String()))
			}
			t.Logf("%d tests passed, %d were skipped", passed, bytes.Count(said.Bytes(), []byte("--- SKIP")))
		})
	}
}

// failures is what a test program said, without what went well.
func failures(said string) string {
	var lines []string
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(line, "=== ") && !strings.Contains(line, "--- PASS") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-100):], "")
}
