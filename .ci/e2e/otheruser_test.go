package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAttackAnotherUserReadsTheArguments: another user of the machine who takes
// the address from the browser's arguments, and is there first, is refused, and the
// user signs in with a real browser as if nothing had been.
func TestAttackAnotherUserReadsTheArguments(t *testing.T) {
	m := newMachine(t)
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	browser := fmt.Sprintf("BROWSER=bash %s/otheruser.sh node %s/browser.mjs ada %s/signed-in.png", dir, dir, t.TempDir())
	said := m.run([]string{browser}, "login", "--issuer", m.issuer, "--client-id", m.clientID)
	if said.code != 0 || !strings.Contains(said.stdout, "Signed in as ada@example.com") || !strings.Contains(said.stderr, "signed in to local as ada@example.com") {
		t.Errorf("login: %v", said)
	}
	for _, want := range []string{
		"the other user found http://127.0.0.1:", "the other user got: HTTP/1.1 403", "another user of this machine (uid 65534) asked for the sign-in page and was refused",
	} {
		if !strings.Contains(said.stderr, want) {
			t.Errorf("%q is not in %v", want, said)
		}
	}
	for _, not := range []string{"the other user got: Location", "the other user got: Set-Cookie", "code_challenge"} {
		if strings.Contains(said.stderr, not) {
			t.Errorf("%q is in %v", not, said)
		}
	}
	if os.Getuid() != 0 {
		t.Error("only root can be another user")
	}
}
