package keychain

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// account is the item name of a key's header. It is the key itself where that
// is plain, for people who look into their keychain. Everything else is written
// as %XX: capitals, because Windows does not tell them from small letters;
// quotes and blanks, because on macOS the name goes through a line that
// security(1) parses; the comma, because it begins the suffix of a chunk. A
// name that is empty or gets too long is replaced by the key's hash.
func account(key string) string {
	const suffix = len(",a1000")
	var name strings.Builder
	for _, b := range []byte(key) {
		if isPlain(b) {
			name.WriteByte(b)
		} else {
			fmt.Fprintf(&name, "%%%02X", b)
		}
	}
	if name.Len() == 0 || name.Len() > maxAccount-suffix {
		return fmt.Sprintf("sha256,%x", sha256.Sum256([]byte(key)))
	}
	return name.String()
}

func isPlain(b byte) bool {
	return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || strings.IndexByte("._/@:-", b) >= 0
}

// part is the item name of one chunk.
func part(name string, s slot, i int) string {
	return fmt.Sprintf("%s,%c%d", name, s, i)
}
