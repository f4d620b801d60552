package mcpclient

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHintsKeepTheFirstErrors: npm writes what is wrong, and then how to update npm.
func TestHintsKeepTheFirstErrors(t *testing.T) {
	l := &logLines{line: func(string) {}}
	fmt.Fprint(l, "starting\nnpm error code E404\nnpm error 404 Not Found\nnpm notice\n1\n2\n3\n4\n5\n")
	want := []string{
		"it said: npm error code E404", "it said: npm error 404 Not Found",
		"it said: 1", "it said: 2", "it said: 3", "it said: 4", "it said: 5",
	}
	if diff := cmp.Diff(want, l.hints()); diff != "" {
		t.Error(diff)
	}
}
