package cmd

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestJQKeepsIntegers: an id of 64 bits is printed as it came.
func TestJQKeepsIntegers(t *testing.T) {
	code, err := compileJQ(".id, .name, .")
	if err != nil {
		t.Fatal(err)
	}
	got, err := runJQ(code, []byte(`{"id": 12345678901234567890, "name": "<a>"}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"12345678901234567890", "<a>", `{"id":12345678901234567890,"name":"<a>"}`}, got); diff != "" {
		t.Error(diff)
	}
}
