package gate

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// followed is a gate whose answers are recorded, too.
func followed(t *testing.T) (*Session, *notebook) {
	t.Helper()
	g, _, record := testGate()
	key, err := audit.OpenKey(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	g.calls = &callTracker{
		key: key, open: map[*trackedCall]struct{}{},
		later: func(o audit.Outcome) {
			record.records = append(record.records, audit.Record{
				Event: audit.Result, Call: o.Call, Method: o.Method, Name: o.Name,
				Status: o.Status, Code: o.Code, Bytes: o.Bytes, Micros: o.Micros,
			})
		},
	}
	return g, record
}

// send passes a call through the gate and returns what the relay keeps of it.
func send(t *testing.T, g *Session, line string) *relay.Request {
	t.Helper()
	m := message(t, line)
	g.tools.note([]relay.Tool{{Name: m.Name()}})
	v := g.FromClient(m)
	if v.Action != relay.Forward {
		t.Fatalf("action %v: %s", v.Action, v.Line)
	}
	return &relay.Request{ID: m.ID(), Method: m.Method(), Name: m.Name(), Tag: v.Tag}
}

func TestAnswersAreRecorded(t *testing.T) {
	tests := map[string]struct {
		answer, status string
		code           int
	}{
		"result":             {`"result":{"content":[]}`, audit.OK, 0},
		"result, not error":  {`"result":{"content":[],"isError":false}`, audit.OK, 0},
		"tool error":         {`"result":{"content":[],"isError" : true}`, audit.ToolError, 0},
		"nested word":        {`"result":{"structuredContent":{"isError":true},"isError":false}`, audit.OK, 0},
		"word in a text":     {`"result":{"content":[{"type":"text","text":"\"isError\":true"}]}`, audit.OK, 0},
		"error":              {`"error":{"code":-32602,"message":"m"}`, audit.Failed, -32602},
		"error without code": {`"error":"x"`, audit.Failed, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g, record := followed(t)
			request := send(t, g, whoami)
			line := `{"jsonrpc":"2.0","id":1,` + test.answer + `}`
			g.FromBackend(new(relay.Scanner).Scan([]byte(line)), request)
			if len(record.records) != 2 {
				t.Fatalf("%+v", record.records)
			}
			call, result := record.records[0], record.records[1]
			if call.ID == "" || result.Call != call.ID || result.Event != audit.Result || result.Name != "whoami" {
				t.Errorf("%+v\n%+v", call, result)
			}
			if result.Status != test.status || result.Code != test.code || result.Bytes != len(line) || result.Micros < 0 {
				t.Errorf("%+v", result)
			}
			g.calls.end()
			if len(record.records) != 2 {
				t.Error("an answered call is recorded as unanswered, too")
			}
		})
	}
}

func TestUnansweredCallsAreRecorded(t *testing.T) {
	g, record := followed(t)
	send(t, g, whoami)
	for range 2 {
		g.calls.end()
	}
	if r := record.records; len(r) != 2 || r[1].Status != audit.Unanswered || r[1].Call != r[0].ID {
		t.Errorf("%+v", r)
	}
}

// talk is a relay between a client and a backend that are played by a test.
type talk struct {
	t                   *testing.T
	clientIn, backendIn *io.PipeWriter
	client, backend     *bufio.Scanner
	results             chan audit.Outcome
	over                func() // ends the client, and waits for the relay
}

func talkThrough(t *testing.T, g *Session, adjust func(*relay.Config)) *talk {
	g.tools.note([]relay.Tool{{Name: "whoami"}})
	results := make(chan audit.Outcome, 8)
	g.calls.later = func(o audit.Outcome) { results <- o }
	clientR, clientIn := io.Pipe()
	clientOut, clientW := io.Pipe()
	backendR, backendIn := io.Pipe()
	backendOut, backendW := io.Pipe()
	config := relay.Config{
		Client: relay.Endpoint{R: clientR, W: clientW}, Backend: relay.Endpoint{R: backendR, W: backendW},
		Reserved: reserved, Gate: g, Cancelled: g.calls.cancelled, Unanswered: g.calls.unanswered,
		Stray: func(relay.Stray, []byte) {}, ClientGone: func() { _ = backendIn.Close() }, ExitReason: func() string { return "over" },
	}
	adjust(&config)
	ended := make(chan struct{})
	go func() { defer close(ended); relay.New(config).Run(context.Background()) }()
	return &talk{
		t: t, clientIn: clientIn, backendIn: backendIn, results: results,
		client: bufio.NewScanner(clientOut), backend: bufio.NewScanner(backendOut),
		over: func() {
			_ = clientIn.Close()
			<-ended
			g.calls.end()
			close(results)
		},
	}
}

func (k *talk) say(to io.Writer, line string, hear *bufio.Scanner, want string) {
	k.t.Helper()
	if _, err := io.WriteString(to, line+"\n"); err != nil {
		k.t.Fatal(err)
	}
	k.hear(hear, want)
}

func (k *talk) hear(hear *bufio.Scanner, want string) {
	k.t.Helper()
	if !hear.Scan() || !strings.Contains(hear.Text(), want) {
		k.t.Fatalf("heard %q instead of %q", hear.Text(), want)
	}
}

// A call that its client gives up is on record as that, once, whether its answer
// comes late or never.
func TestCancelledCallsAreRecorded(t *testing.T) {
	g, record := followed(t)
	k := talkThrough(t, g, func(*relay.Config) {})
	const cancel = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`
	for id := 1; id <= 2; id++ {
		k.say(k.clientIn, strings.Replace(whoami, `"id":1`, fmt.Sprintf(`"id":%d`, id), 1), k.backend, "whoami")
		k.say(k.clientIn, fmt.Sprintf(cancel, id), k.backend, "cancelled")
		if r := <-k.results; r.Status != audit.Cancelled || r.Call != record.records[id-1].ID || r.Name != "whoami" || r.Micros < 0 {
			t.Errorf("%+v", r)
		}
		k.say(k.clientIn, fmt.Sprintf(cancel, id), k.backend, "cancelled") // again, which changes nothing
	}
	k.say(k.backendIn, `{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}`, k.client, `"id":1`)
	k.over()
	for r := range k.results {
		t.Errorf("a second result: %+v", r)
	}
}

// A call that takes longer than --call-timeout is on record as unanswered as soon as
// its client hears so, and once; so is one whose backend ends.
func TestCallsWithoutAnAnswerAreRecorded(t *testing.T) {
	g, record := followed(t)
	k := talkThrough(t, g, func(c *relay.Config) { c.CallTimeout = time.Millisecond })
	k.say(k.clientIn, whoami, k.backend, "whoami")
	k.hear(k.client, `"code":4504`)
	if r := <-k.results; r.Status != audit.Unanswered || r.Code != relay.CodeTimeout || r.Call != record.records[0].ID || r.Micros < 1000 {
		t.Errorf("%+v", r)
	}
	k.hear(k.backend, "cancelled")
	k.say(k.backendIn, `{"jsonrpc":"2.0","id":1,"result":{}}`+"\n"+`{"jsonrpc":"2.0","method":"notifications/message"}`, k.client, "notifications/message")
	k.over()
	for r := range k.results {
		t.Errorf("a second result: %+v", r)
	}

	g, _ = followed(t)
	k = talkThrough(t, g, func(*relay.Config) {})
	k.say(k.clientIn, whoami, k.backend, "whoami")
	_ = k.backendIn.Close()
	k.hear(k.client, "over")
	if r := <-k.results; r.Status != audit.Unanswered || r.Code != relay.CodeBackendGone {
		t.Errorf("%+v", r)
	}
}

// A call that the relay refuses when the gate has let it pass, because its id is in use,
// does not wait for an answer on record, nor does it end the other one.
func TestCallWithAnIDInUseIsRecordedAsUnanswered(t *testing.T) {
	g, record := followed(t)
	k := talkThrough(t, g, func(*relay.Config) {})
	k.say(k.clientIn, whoami, k.backend, "whoami")
	k.say(k.clientIn, whoami, k.client, "not answered yet")
	if r := <-k.results; r.Status != audit.Unanswered || r.Code != relay.CodeInvalidRequest || r.Call != recordedCall(record, 1) {
		t.Errorf("%+v", r)
	}
	k.say(k.backendIn, `{"jsonrpc":"2.0","id":1,"result":{}}`, k.client, `"result"`)
	if r := <-k.results; r.Status != audit.OK || r.Call != recordedCall(record, 0) {
		t.Errorf("%+v", r)
	}
	k.over()
	for r := range k.results {
		t.Errorf("a third result: %+v", r)
	}
}

// recordedCall is the id of a call by its place among those on record.
func recordedCall(record *notebook, n int) string {
	for _, r := range record.records {
		if r.Event != audit.Call {
			continue
		}
		if n == 0 {
			return r.ID
		}
		n--
	}
	return "none"
}

func TestArgumentsAreHashedAndKeptOnlyByChoice(t *testing.T) {
	const line = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find","arguments":` +
		`{"id":5,"token":"hunter2","query":"late orders","same":"late orders"}}}`
	g, record := followed(t)
	send(t, g, line)
	g.calls.content = true
	send(t, g, line)
	without, with := record.records[0].Arguments, record.records[1].Arguments
	for i, a := range without {
		if len(a.Hash) != 16 || a.Value != "" || a.Hash != with[i].Hash {
			t.Errorf("%+v and %+v", a, with[i])
		}
	}
	if without[2].Hash != without[3].Hash || without[0].Hash == without[2].Hash {
		t.Error("equal values do not have equal hashes, or others have")
	}
	if with[0].Value != "5" || with[1].Value != audit.Redacted || with[2].Value != `"late orders"` {
		t.Errorf("%+v", with)
	}
}

func TestLongAndManyArgumentsAreBounded(t *testing.T) {
	g, record := followed(t)
	g.calls.content = true
	send(t, g, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"long":"`+
		strings.Repeat("x", maxHashed)+`"}}}`)
	if a := record.records[0].Arguments[0]; a.Hash != "" || a.Value != audit.Redacted || a.Bytes != maxHashed+2 {
		t.Errorf("%+v", a)
	}
	var many []string
	for i := range maxArguments + 7 {
		many = append(many, fmt.Sprintf(`"a%d":1`, i))
	}
	send(t, g, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{`+strings.Join(many, ",")+`}}}`)
	if r := record.records[1]; len(r.Arguments) != maxArguments || r.ArgumentsCut != 7 {
		t.Errorf("%d arguments, %d cut", len(r.Arguments), r.ArgumentsCut)
	}
}

// A URI is recorded as a name, in any case, and so must not carry a password.
func TestPasswordsInURIsAreNotRecorded(t *testing.T) {
	g, record := followed(t)
	send(t, g, `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"postgres://ada:hunter2@db/x?password=hunter2"}}`)
	if name := record.records[0].Name; strings.Contains(name, "hunter2") || !strings.HasPrefix(name, "postgres") {
		t.Error(name)
	}
}

// A folder that cannot be written to denies calls, and is tried again for each.
func TestRecordRecovers(t *testing.T) {
	state := t.TempDir()
	folder := filepath.Join(state, "audit")
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	record := &auditLog{options: audit.Options{Dir: folder}}
	defer record.close()
	if record.Append(audit.Record{Event: audit.Call}) == nil {
		t.Fatal("a file in the place of the folder is no error")
	}
	record.later(audit.Outcome{})
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if err := record.Append(audit.Record{Event: audit.Call}); err != nil {
		t.Error(err)
	}
}

func TestPolicyIsNamedByWhatItSays(t *testing.T) {
	first, second := policyOf(t, "read_only = true\nread_tools = [\"a\"]\n"), policyOf(t, "read_only = true\nread_tools = [\"b\"]\n")
	names := map[string]bool{}
	for _, p := range []*policy.Policy{first, second, policy.SignedIn(), first, nil} {
		names[policyName(fixedPolicy(p))] = true
	}
	if len(names) != 4 {
		t.Errorf("%v", names)
	}
}

// A member that the server does not look at must not hide from the record what it was
// asked for.
func TestRecordNamesWhatTheServerLooksAt(t *testing.T) {
	tests := map[string]struct{ method, params, name string }{
		"resource":                  {"resources/read", `{"uri":"file:///secret","name":"harmless"}`, "file:///secret"},
		"prompt":                    {"prompts/get", `{"uri":"file:///x","name":"greet"}`, "greet"},
		"tool":                      {"tools/call", `{"uri":"file:///x","name":"whoami"}`, "whoami"},
		"tool whose name is a list": {"tools/call", `{"uri":"harmless","name":["whoami"]}`, ""},
		"prompt without a name":     {"prompts/get", `{"uri":"harmless"}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g, record := followed(t)
			g.authorizer.policy = fixedPolicy(policy.SignedIn())
			request := send(t, g, `{"jsonrpc":"2.0","id":1,"method":"`+test.method+`","params":`+test.params+`}`)
			g.FromBackend(new(relay.Scanner).Scan([]byte(`{"jsonrpc":"2.0","id":1,"result":{}}`)), request)
			for _, r := range record.records {
				if r.Name != test.name {
					t.Errorf("the %s is about %q, want %q", r.Event, r.Name, test.name)
				}
			}
		})
	}
}
