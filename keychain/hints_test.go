package keychain

import (
	"strings"
	"testing"
)

// Every kind has a cure of its own on every system, and none of them is to sign
// in again where that would fail the same way.
func TestKeychainHints(t *testing.T) {
	t.Parallel()
	want := map[Kind]map[string]string{
		Unavailable: {"linux": "gnome-keyring", "darwin": "signed in to the Mac", "windows": "over SSH or WinRM"},
		NoKeyring:   {"linux": "make a keyring named Login"},
		Locked:      {"linux": "Passwords and Keys", "darwin": "security unlock-keychain", "windows": "signing in to Windows"},
		Timeout:     {"linux": "answer the keychain's question", "darwin": "security unlock-keychain"},
		NotKept:     {"linux": "say yes"},
		Corrupt:     {"linux": "mcpauth login"},
		Sealed:      {"linux": "passphrase_file"},
		TooBig:      {"linux": "try again"},
		Failed:      {"linux": "try again"},
	}
	for kind, systems := range want {
		for goos, words := range systems {
			got := strings.Join(hints(kind, goos), "\n")
			if !strings.Contains(got, words) {
				t.Errorf("kind %d on %s: %s\nwant %q", kind, goos, got, words)
			}
		}
	}
	for _, kind := range []Kind{Unavailable, NoKeyring, Locked} {
		if !strings.Contains(strings.Join(hints(kind, "linux"), "\n"), "--store age") {
			t.Errorf("kind %d does not tell of the other store", kind)
		}
	}
}
