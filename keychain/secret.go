package keychain

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a text that must never reach a log, an error, a terminal or a
// file in the clear. Every formatter prints "[redacted]"; only [Secret.Reveal]
// gives the text, so that a search for "Reveal(" lists every place that reads
// one. The zero Secret is empty. Compare two with [Secret.Equal].
type Secret struct {
	// The text is in a closure because fmt calls no method on a value in an
	// unexported field, so that struct{ token Secret } would print the text,
	// and because go-cmp and debug printers follow pointers. It also makes ==
	// not compile.
	reveal func() string
}

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{func() string { return text }} }

// Reveal returns the text itself.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether the secret is empty. It also makes the secret work
// with the omitzero option of encoding/json.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether both hold the same text, in a time that depends on the
// lengths only. github.com/google/go-cmp uses it too.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String, GoString, Format, LogValue, MarshalText and MarshalJSON print
// "[redacted]" whatever the secret holds.
func (s Secret) String() string { return redacted }

// GoString is String for %#v.
func (s Secret) GoString() string { return redacted }

// Format is String for every verb, %x and %q of the fields included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is String for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is String for encoders of text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON is String for encoders of JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
