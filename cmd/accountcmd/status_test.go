package accountcmd

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// The usual state of a morning is no trouble, and four hundred groups are no news.
func TestStatusOfAMorningWithManyGroups(t *testing.T) {
	groups := make([]string, 400)
	for i := range groups {
		groups[i] = fmt.Sprint("group-", i)
	}
	ended := time.Now().Add(-time.Hour)
	out := &bytes.Buffer{}
	a := &console.App{Streams: console.Streams{Out: out, Err: io.Discard}}
	printStatus(a, profileStatus{Profile: "work", State: "troubled", expired: true, Refreshable: true, ExpiresAt: &ended,
		User: &broker.User{Sub: "ada", Groups: groups}})
	said := out.String()
	for _, want := range []string{"● work: signed in as ada; the access token is renewed at its next use", "group-11, and 388 more"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in:\n%s", want, said)
		}
	}
	if strings.Contains(said, "group-12") {
		t.Errorf("too much:\n%s", said)
	}
}
