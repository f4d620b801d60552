package keychain

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// These tests use dbus-daemon and gnome-keyring-daemon in sessions of their
// own, which .ci/keyring makes: never the keychain of whoever runs them.

func needReal(t *testing.T) {
	t.Helper()
	if os.Getenv("MCPAUTH_REAL_KEYCHAIN") != "1" {
		t.Skip("needs Debian's dbus and gnome-keyring; run: MCPAUTH_REAL_KEYCHAIN=1 go test -run TestRealKeychain ./keychain")
	}
}

func session(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	script, err := filepath.Abs("../.ci/keyring")
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(script, args...)
}

// insideSession runs the test once more in a private session with an unlocked
// keychain, and is true there.
func insideSession(t *testing.T) bool {
	t.Helper()
	if os.Getenv("MCPAUTH_KEYRING_PRIVATE") == "unlocked" {
		return true
	}
	out, err := session(t, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=3m").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()+" ") {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

func TestRealKeychainConforms(t *testing.T) {
	needReal(t)
	if insideSession(t) {
		conforms(t, OS(20*time.Second), "conformance/")
	}
}

// Another process replaces the secret while this one reads it: items vanish
// between go-keyring's search for them and its reading.
func TestRealKeychainReadWhileAnotherProcessWrites(t *testing.T) {
	needReal(t)
	if !insideSession(t) {
		return
	}
	s, values := OS(20*time.Second), map[string]bool{}
	for _, value := range rewritten() {
		values[value] = true
	}
	set(t, s, "rewritten", rewritten()[0])
	writer := exec.Command(os.Args[0], "keychain-probe", "rewrite")
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- writer.Wait() }()
	for reads := 1; ; reads++ {
		got, err := s.Get(t.Context(), "rewritten")
		if err != nil || !values[got.Reveal()] {
			t.Errorf("read %d gives %d bytes, %v", reads, len(got.Reveal()), err)
		}
		select {
		case err := <-written:
			if err != nil || reads < 5 {
				t.Errorf("the writer ended with %v after %d reads", err, reads)
			}
			return
		default:
		}
	}
}

// run starts a probe and returns what its operations came to.
func run(t *testing.T, probe *exec.Cmd) map[string]outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	probe.Stdout, probe.Stderr = &stdout, &stderr
	if err := probe.Run(); err != nil {
		t.Fatalf("probe: %v\n%s%s", err, &stdout, &stderr)
	}
	if strings.Contains(stdout.String()+stderr.String(), "CANARY") {
		t.Errorf("the secret was printed:\n%s%s", &stdout, &stderr)
	}
	told := map[string]outcome{}
	for lines := json.NewDecoder(&stdout); ; {
		var o outcome
		if err := lines.Decode(&o); err == io.EOF {
			return told
		} else if err != nil {
			t.Fatal(err)
		}
		told[o.Op] = o
	}
}

// wantOutcome wants an operation to end in time, as kind, with word in its
// error.
func wantOutcome(t *testing.T, o outcome, kind Kind, word string, within time.Duration) {
	t.Helper()
	t.Logf("%s: %d in %v: %s", o.Op, o.Kind, o.Took, o.Error)
	if o.Op == "" || o.Kind != kind || !strings.Contains(o.Error, word) || (kind == 0) != (o.Error == "") {
		t.Errorf("%s is of kind %d, %q; want kind %d, %q", o.Op, o.Kind, o.Error, kind, word)
	}
	if o.Took > within {
		t.Errorf("%s took %v, want at most %v", o.Op, o.Took, within)
	}
}

// wantAll wants all three operations to end alike and at once.
func wantAll(t *testing.T, told map[string]outcome, kind Kind, word string) {
	t.Helper()
	for _, op := range []string{"set", "get", "delete"} {
		wantOutcome(t, told[op], kind, word, 4*time.Second)
	}
}

var probeStore = []string{os.Args[0], "keychain-probe", "store", "5s"}

func TestRealKeychainUnlocked(t *testing.T) {
	needReal(t)
	wantAll(t, run(t, session(t, append([]string{"--unlocked"}, probeStore...)...)), 0, "")
}

// MCP clients strip the environment: the bus of the login session must do.
func TestRealKeychainFoundInEmptyEnvironment(t *testing.T) {
	needReal(t)
	wantAll(t, run(t, session(t, append([]string{"--run-user"}, probeStore...)...)), 0, "")
}

func TestRealKeychainLocked(t *testing.T) {
	needReal(t)
	wantAll(t, run(t, session(t, append([]string{"--locked"}, probeStore...)...)), Locked, "login keyring")
}

func TestRealKeychainWithoutLoginKeyring(t *testing.T) {
	needReal(t)
	wantAll(t, run(t, session(t, append([]string{"--no-login"}, probeStore...)...)), NoKeyring, "no login keyring")
}

func TestRealKeychainWithoutService(t *testing.T) {
	needReal(t)
	wantAll(t, run(t, session(t, append([]string{"--no-service"}, probeStore...)...)), Unavailable, "no Secret Service")
}

// Without a bus dbus-launch must not be run, which stands in the PATH here: it
// leaves a daemon behind per process.
func TestRealKeychainWithoutBusStartsNone(t *testing.T) {
	needReal(t)
	for name, address := range map[string]string{"no address": "", "autolaunch": "DBUS_SESSION_BUS_ADDRESS=autolaunch:"} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			trace := filepath.Join(folder, "launched")
			script := "#!/bin/sh\n: >" + trace + "\n"
			if err := os.WriteFile(filepath.Join(folder, "dbus-launch"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			args := []string{"--no-bus", "env", "PATH=" + folder + ":" + os.Getenv("PATH")}
			if address != "" {
				args = append(args, address)
			}
			wantAll(t, run(t, session(t, append(args, probeStore...)...)), Unavailable, "no message bus")
			if _, err := os.Stat(trace); err == nil {
				t.Error("dbus-launch was run")
			}
		})
	}
}

func TestRealKeychainStaleAddress(t *testing.T) {
	needReal(t)
	probe := exec.Command(probeStore[0], probeStore[1:]...)
	probe.Env = []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(t.TempDir(), "gone")}
	wantAll(t, run(t, probe), Unavailable, "nobody answers at the address")
}

// A bus that takes the connection and says nothing costs one timeout.
func TestRealKeychainSilentBus(t *testing.T) {
	needReal(t)
	folder, err := os.MkdirTemp("", "bus") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	socket := filepath.Join(folder, "bus")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	probe := exec.Command(os.Args[0], "keychain-probe", "store", "300ms")
	probe.Env = []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + socket}
	told := run(t, probe)
	wantOutcome(t, told["set"], Timeout, "no answer within 300ms", 2*time.Second)
	wantOutcome(t, told["get"], Timeout, "still hangs", 200*time.Millisecond)
	wantOutcome(t, told["delete"], Timeout, "still hangs", 200*time.Millisecond)
}

func withFakeService(t *testing.T, timeout, prompt string) map[string]outcome {
	t.Helper()
	return run(t, session(t, "--no-service", os.Args[0], "keychain-probe", "store", timeout, prompt))
}

// go-keyring says that all went well when the user closes the prompt.
func TestRealKeychainDismissedPrompt(t *testing.T) {
	needReal(t)
	wantOutcome(t, withFakeService(t, "5s", "dismiss")["set"], NotKept, "prompt dismissed", 4*time.Second)
}

func TestRealKeychainIgnoredPrompt(t *testing.T) {
	needReal(t)
	told := withFakeService(t, "300ms", "ignore")
	wantOutcome(t, told["set"], Timeout, "prompt that nobody sees", 2*time.Second)
	wantOutcome(t, told["get"], Timeout, "still hangs", 200*time.Millisecond)
}

// go-keyring dies of nil when the bus goes away during a prompt.
func TestRealKeychainBusDiesDuringPrompt(t *testing.T) {
	needReal(t)
	told := withFakeService(t, "5s", "vanish")
	wantOutcome(t, told["set"], Failed, "panicked", 4*time.Second)
	wantOutcome(t, told["get"], Unavailable, "session bus", 4*time.Second)
}
