package gate

import (
	"bytes"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// busyUser is signed in and has as much to say as a usual one.
var busyUser = identity.User{
	Sub: "ada", UserID: "ada", Email: "ada@example.com", Name: "Ada Lovelace", Groups: []string{"engineering", "admins"},
	Scopes: []string{"openid", "profile", "email"}, Issuer: "https://login.example.com", ClientID: "x", Profile: "orders",
}

// recordingGate is a gate that does all that one does in a proxy.
func recordingGate(b *testing.B) *Session {
	g, session, _ := testGate()
	dir := b.TempDir()
	log, err := audit.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	record := &auditLog{log: log}
	b.Cleanup(record.close)
	key, err := audit.OpenKey(filepath.Join(dir, "audit.key"))
	if err != nil {
		b.Fatal(err)
	}
	g.audit, g.userContext = record, ContextAuto
	g.calls = &callTracker{key: key, later: record.later, open: map[*trackedCall]struct{}{}}
	g.client.Store(&clientInfo{"claude-code", "2.1.0"})
	g.tools.note([]relay.Tool{{Name: "echo"}, {Name: "mine", Takes: true}})
	session.set(identity.Snapshot{State: identity.SignedIn, User: busyUser})
	return g
}

// turns hands chunks of lines from one goroutine to another.
type turns chan []byte

func (t turns) Read(p []byte) (int, error) {
	chunk, open := <-t
	if !open {
		return 0, io.EOF
	}
	return copy(p, chunk), nil
}

// lineSink takes the lines that arrive at one end.
type lineSink func(lines []byte)

func (f lineSink) Write(lines []byte) (int, error) { f(lines); return len(lines), nil }

// BenchmarkPipelinedCall is one of 64 calls that are in flight at once, through
// relay, gate and record, with a server that costs nothing.
func BenchmarkPipelinedCall(b *testing.B) {
	const inFlight = 64
	calls, answers := make(turns), make(turns)
	back := make(chan int)
	var asked, answered []byte
	for id := range inFlight {
		asked = append(asked, `{"jsonrpc":"2.0","id":`+strconv.Itoa(id)+`,"method":"tools/call","params":{"name":"echo","arguments":{"text":"`+strings.Repeat("x", 100)+"\"}}}\n"...)
		answered = append(answered, `{"jsonrpc":"2.0","id":`+strconv.Itoa(id)+`,"result":{"content":[],"structuredContent":{"text":"`+strings.Repeat("x", 100)+"\"}}}\n"...)
	}
	arrived := 0
	lines := relay.New(relay.Config{
		Client: relay.Endpoint{R: calls, W: lineSink(func(text []byte) { back <- bytes.Count(text, []byte{'\n'}) })},
		Backend: relay.Endpoint{R: answers, W: lineSink(func(text []byte) {
			if arrived += bytes.Count(text, []byte{'\n'}); arrived == inFlight {
				arrived = 0
				answers <- answered
			}
		})},
		Gate: recordingGate(b), Reserved: reserved,
		Stray:      func(_ relay.Stray, line []byte) { b.Errorf("stray %s", line) },
		ClientGone: func() { close(answers) }, ExitReason: func() string { return "" },
	})
	ended := make(chan struct{})
	go func() { lines.Run(b.Context()); close(ended) }()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%inFlight > 0 {
			continue
		}
		calls <- asked
		for heard := 0; heard < inFlight; {
			heard += <-back
		}
	}
	close(calls)
	<-ended
}
