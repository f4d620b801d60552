package keychain

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

const redacted = "[redacted]"

// Secret is a text that must never reach a log, an error, a terminal or a
// file in the clear. Every formatter prints "[redacted]"; only [Secret.Reveal]
// gives the text, so that a search for "Reveal(" lists every place that reads
// one. The zero Secret is empty. Two are == when their texts are.
type Secret struct {
	// Not a string, because fmt calls no method on a value in an unexported
	// field: struct{ token Secret } would print it. Of a handle it prints the
	// address.
	text unique.Handle[string]
}

// NewSecret wraps text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{unique.Make(text)}
}

// Reveal returns the text itself.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.text.Value()
}

// IsZero reports whether the secret is empty. It also makes the secret work
// with the omitzero option of encoding/json.
func (s Secret) IsZero() bool { return s == Secret{} }

// Equal is == for github.com/google/go-cmp.
func (s Secret) Equal(other Secret) bool { return s == other }

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
