package proxycmd

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/keychain"
)

// The lean program, which has no command `version`, tells its version all the same.
func TestProxyVersion(t *testing.T) {
	var out, talk bytes.Buffer
	code := Main(t.Context(), []string{"--version"}, console.Streams{In: strings.NewReader(""), Out: &out, Err: &talk}, console.Deps{})
	if code != 0 || out.String() != "mcpauth "+console.Build().Version+"\n" || talk.Len() > 0 {
		t.Errorf("exit %d: %q, %q", code, &out, &talk)
	}
}

// `client add` writes the word proxy behind the lean program, too: it is no server.
func TestProxyTakesItsName(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("USERPROFILE", os.Getenv("HOME"))
	for _, args := range [][]string{{"proxy", "--", "no-such-server"}, {"--", "no-such-server"}, {"proxy", "no-such-server"}} {
		var out, talk bytes.Buffer
		code := Main(t.Context(), args, console.Streams{In: strings.NewReader(""), Out: &out, Err: &talk}, console.Deps{
			Keychain: func(time.Duration) keychain.Store { return keychain.Memory() }, Env: os.Getenv,
		})
		if code != 127 || !strings.Contains(talk.String(), "start no-such-server:") {
			t.Errorf("%q: exit %d: %s", args, code, &talk)
		}
	}
}
