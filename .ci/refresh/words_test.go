package refresh

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// TestKeychainThatIsOfNoUse runs the commands in each kind of session that has
// no usable keychain. The words say which one it is and what mends it, nothing
// is stored elsewhere, and no browser opens for a sign-in that could not be kept.
func TestKeychainThatIsOfNoUse(t *testing.T) {
	stale := "DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(t.TempDir(), "gone")
	for name, test := range map[string]struct {
		session    []string // how to get there
		says, cure string
	}{
		"locked":        {[]string{"../keyring", "--locked", "env"}, "the keychain is locked", "unlock the keychain in Passwords and Keys"},
		"no keyring":    {[]string{"../keyring", "--no-login", "env"}, "the keychain has no keyring yet", "make a keyring named Login"},
		"no service":    {[]string{"../keyring", "--no-service", "env"}, "no Secret Service on the session bus", "install gnome-keyring"},
		"no bus":        {[]string{"../keyring", "--no-bus", "env"}, "this session has no message bus", "dbus-run-session"},
		"stale address": {[]string{"env", stale}, "nobody answers at the address of the session bus", "sign in to the desktop session"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			idp, err := demoidp.Start(demoidp.Options{AutoApprove: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = idp.Close() })
			m := newMachine(t, idp.Issuer(), demoidp.DefaultClientID)
			opened := filepath.Join(t.TempDir(), "opened")
			m.addProfile()
			for _, command := range [][]string{{"status"}, {"token"}, {"login"}} {
				said := m.runIn(test.session, []string{"BROWSER=touch " + opened}, command...)
				if said.code != 7 || !strings.Contains(said.stderr, test.says) || !strings.Contains(said.stderr, test.cure) {
					t.Errorf("%v: %v\nwant exit 7, %q and %q", command, said, test.says, test.cure)
				}
				if said.took > 20*time.Second {
					t.Errorf("%v took %v", command, said.took)
				}
			}
			if _, err := os.Stat(opened); err == nil {
				t.Error("a browser was opened")
			}
		})
	}
}

// TestKeychainThatNeverAnswers: a proxy does not wait for it longer than an AI
// client would.
func TestKeychainThatNeverAnswers(t *testing.T) {
	t.Parallel()
	silent := filepath.Join(t.TempDir(), "bus")
	listener, err := net.Listen("unix", silent)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // connections are accepted by the system and not read
	m := newMachine(t, "https://login.example.com", "x")
	m.addProfile()
	m.bus = "unix:path=" + silent
	p := m.proxy()
	p.open()
	a := p.call()
	a.wantWords(t, "the keychain did not answer in time")
	a.wantWords(t, "answer the keychain's question")
	if a.took > 5*time.Second {
		t.Errorf("the call waited %v", a.took)
	}
}

func (m *machine) addProfile() {
	m.t.Helper()
	if said := m.run(nil, "profile", "add", "p", "--issuer", m.issuer, "--client-id", m.clientID); said.code != 0 {
		m.t.Fatalf("profile add: %v", said)
	}
}

// runIn is run in another session than the one of these tests.
func (m *machine) runIn(session, environ []string, args ...string) result {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	here := m.mcpauth(ctx, args...)
	argv := append(append([]string{}, session...), append(here.Env, environ...)...)
	command := exec.CommandContext(ctx, argv[0], append(argv[1:], here.Args...)...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	began := time.Now()
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Errorf("%v: %v", argv, err)
		return result{code: -1}
	}
	m.hear(stdout.String() + stderr.String())
	return result{stdout.String(), stderr.String(), command.ProcessState.ExitCode(), time.Since(began)}
}
