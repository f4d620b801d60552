package broker

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/keychain"
)

// Every kind has a cure of its own on every system, and none of them is to sign
// in again where that would fail the same way.
func TestKeychainHints(t *testing.T) {
	t.Parallel()
	want := map[keychain.Kind]map[string]string{
		keychain.Unavailable: {"linux": "gnome-keyring", "darwin": "signed in to the Mac", "windows": "over SSH or WinRM"},
		keychain.NoKeyring:   {"linux": "make a keyring named Login"},
		keychain.Locked:      {"linux": "Passwords and Keys", "darwin": "security unlock-keychain", "windows": "signing in to Windows"},
		keychain.Timeout:     {"linux": "answer the keychain's question", "darwin": "security unlock-keychain"},
		keychain.NotKept:     {"linux": "say yes"},
		keychain.Corrupt:     {"linux": "mcpauth login"},
		keychain.Sealed:      {"linux": "passphrase_file"},
		keychain.TooBig:      {"linux": "try again"},
		keychain.Failed:      {"linux": "try again"},
	}
	for kind, systems := range want {
		for goos, words := range systems {
			hints := strings.Join(keychainHints(kind, goos), "\n")
			if !strings.Contains(hints, words) {
				t.Errorf("kind %d on %s: %s\nwant %q", kind, goos, hints, words)
			}
		}
	}
	for _, kind := range []keychain.Kind{keychain.Unavailable, keychain.NoKeyring, keychain.Locked} {
		if !strings.Contains(strings.Join(keychainHints(kind, "linux"), "\n"), "--store age") {
			t.Errorf("kind %d does not tell of the other store", kind)
		}
	}
	problem := AsProblem(fmt.Errorf("reading: %w", &keychain.Error{Op: "get", Kind: keychain.Locked, Err: errors.New("why")}))
	if problem.Code != ExitKeychain || len(problem.Hints) == 0 {
		t.Errorf("%+v", problem)
	}
}
