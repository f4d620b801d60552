package cmd

import (
	"bytes"
	"strings"
	"testing"
)

// The lean program, which has no command `version`, tells its version all the same.
func TestProxyVersion(t *testing.T) {
	var out, talk bytes.Buffer
	code := Proxy(t.Context(), []string{"--version"}, Streams{In: strings.NewReader(""), Out: &out, Err: &talk}, Deps{})
	if code != 0 || out.String() != "mcpauth "+build().Version+"\n" || talk.Len() > 0 {
		t.Errorf("exit %d: %q, %q", code, &out, &talk)
	}
}
