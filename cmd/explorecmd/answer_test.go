package explorecmd

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// The wait for a page ends by the person's word, or when nobody waits any more.
func TestWaitForAPage(t *testing.T) {
	for typed, want := range map[string]string{"\n": "accept", "n\n": "decline", "": "decline"} {
		program, person, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer program.Close()
		defer person.Close()
		x := &exploring{App: &console.App{Streams: console.Streams{In: program, Err: &bytes.Buffer{}}}, attended: true}
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := person.WriteString(typed); err != nil {
			t.Fatal(err)
		}
		if typed == "" {
			cancel()
		}
		if got := x.answer(ctx, mcpclient.Elicitation{Own: true, Waits: true, Message: "The page."}); got.Action != want {
			t.Errorf("%q: %s", typed, got.Action)
		}
		cancel()
	}
}
