package keychain

import (
	"testing"
)

// FuzzHeader: the parser takes exactly what it would write, within bounds.
func FuzzHeader(f *testing.F) {
	good := header{slot: slotB, count: 3, size: 6000, sum: digest("key", nil)}.String()
	for _, seed := range []string{
		good, "", "mcpauth", "mcpauth 1 a 1 0 ", "mcpauth 2 a 1 0 00", good + " ", good + "\n", good[1:],
		"mcpauth 1 a 01 0 " + good[len(good)-64:], "mcpauth 1 a -1 0 " + good[len(good)-64:],
		"mcpauth 1 a +1 0 " + good[len(good)-64:], "mcpauth 1 c 1 0 " + good[len(good)-64:],
		"mcpauth 1 a 148 0 " + good[len(good)-64:], "mcpauth 1 a 1 262145 " + good[len(good)-64:],
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHeader(text)
		if err != nil {
			if !isKind(err, Corrupt) || h != (header{}) {
				t.Fatalf("refused as %v with %v", err, h)
			}
			return
		}
		if h.String() != text {
			t.Errorf("%q is taken and written as %q", text, h)
		}
		if h.slot != slotA && h.slot != slotB || h.count < 1 || h.count > maxChunks || h.size < 0 || h.size > maxSecret {
			t.Errorf("out of bounds: %q", text)
		}
	})
}

// FuzzRoundTrip: every key gives back what was stored under it, through items
// with the caps of all platforms, and leaves nothing behind.
func FuzzRoundTrip(f *testing.F) {
	f.Add("default/token", "value", "other")
	f.Add("", "", "")
	f.Add("x,a0", noise(6000, 1), "x")
	f.Add("Ä'\n\x00", "\xff\x00", "%2C")
	f.Fuzz(func(t *testing.T, key, value, otherKey string) {
		backend := newFakeItems()
		backend.cap = func(account, text string) error {
			if err := windowsCap(account, text); err != nil {
				return err
			}
			return macCap(account, text)
		}
		s := newChunked("fuzz", backend)
		if key != otherKey {
			set(t, s, otherKey, "the other's")
		}
		for _, v := range []string{value, value + value, value} {
			if len(v) > maxSecret {
				return
			}
			set(t, s, key, v)
			wantValue(t, s, key, v)
		}
		if key != otherKey {
			wantValue(t, s, otherKey, "the other's")
		}
		for _, k := range []string{key, otherKey} {
			if err := s.Delete(t.Context(), k); err != nil {
				t.Fatal(err)
			}
		}
		backend.mustBeEmpty(t)
	})
}
