package gate

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// recorder takes the audit record of a call before it leaves.
type recorder interface {
	Append(audit.Record) error
	// Queue makes a record part of a batch, which is written when it is committed.
	Queue(audit.Record) (relay.Commit, error)
}

// auditLog is the audit log of a process, which is opened again after an error.
type auditLog struct {
	options audit.Options

	mu  sync.Mutex
	log *audit.Log
}

func (r *auditLog) open() (*audit.Log, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log != nil {
		return r.log, nil
	}
	log, err := r.options.Open()
	if err != nil {
		return nil, err
	}
	r.log = log
	return log, nil
}

// Append implements recorder.
func (r *auditLog) Append(a audit.Record) error {
	log, err := r.open()
	if err != nil {
		return err
	}
	return log.Append(a)
}

// Queue implements recorder.
func (r *auditLog) Queue(a audit.Record) (relay.Commit, error) {
	log, err := r.open()
	if err != nil {
		return nil, err
	}
	batch, err := log.Queue(a)
	if err != nil {
		return nil, err
	}
	return batch, nil
}

// later takes a record that nothing waits for.
func (r *auditLog) later(a audit.Outcome) {
	if log, err := r.open(); err == nil {
		log.AppendAsync(a)
	}
}

func (r *auditLog) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log != nil {
		_ = r.log.Close() // nobody is left to tell
	}
}

// policyName names a policy by what it says, for the record.
func policyName(w *policyWatch) string {
	p := w.current.Load()
	if p == nil {
		return "none"
	}
	text, err := json.Marshal(p.Set())
	if err != nil {
		return "unnamed"
	}
	sum := sha256.Sum256(text)
	const size = 8 // enough to tell policies apart
	return hex.EncodeToString(sum[:size])
}

// callTracker knows the calls that were sent on, until their answers are recorded.
type callTracker struct {
	ids     audit.IDs
	key     *audit.Key // nil: no hashes of arguments
	content bool       // whether values are kept
	later   func(audit.Outcome)

	mu   sync.Mutex
	open map[*trackedCall]struct{} // at most maxOpen
}

// trackedCall is a call on its way. It is the tag of its request in the relay.
type trackedCall struct {
	*writtenUser
	id           string
	method, name string
	sent         time.Time
	completes    *completionOf // the template that a completion/complete is about, or nil
	over         bool          // its result is logged; guarded by the book's mu
}

// record logs a call. On an error the call must not leave.
func (g *Session) record(m *relay.Message, user *identity.User, decision, reason string) error {
	return g.audit.Append(g.callRecord(m, user, decision, reason))
}

// recordCall prepares the record of a call that is allowed, whose answer is then
// recorded, too. It is written when the commit is done, before the call leaves.
func (g *Session) recordCall(m *relay.Message, user *writtenUser, rule string) (*trackedCall, relay.Commit, error) {
	r := g.callRecord(m, user.user, audit.Allow, rule)
	call := &trackedCall{writtenUser: user, method: r.Method, name: r.Name, sent: r.Time}
	call.id = g.calls.ids.Next(r.Time)
	r.ID = call.id
	commit, err := g.audit.Queue(r)
	if err != nil {
		return nil, nil, err
	}
	g.calls.add(call)
	return call, commit, nil
}

func (g *Session) callRecord(m *relay.Message, user *identity.User, decision, reason string) audit.Record {
	r := g.newRecord(audit.Call, user, decision, reason)
	r.Time, r.Method, r.Name, r.Spoofed = m.Now(), m.Method(), audit.RedactURI(loggedName(m)), m.Spoofed()
	r.Arguments, r.ArgumentsCut = g.calls.arguments(m)
	return r
}

// newRecord is a record of this session.
func (g *Session) newRecord(event string, user *identity.User, decision, reason string) audit.Record {
	r := audit.Record{
		Event: event, Profile: g.session.Profile(), Server: g.server, Session: g.id,
		Sub: user.Sub, Email: user.Email, ClientID: user.ClientID, Decision: decision, Reason: reason,
	}
	if client := g.client.Load(); client != nil {
		r.Client, r.ClientVersion = client.Name, client.Version
	}
	return r
}

// loggedName is what a call is about: also a completion, and a task.
func loggedName(m *relay.Message) string {
	switch method := m.Method(); {
	case method == "completion/complete":
		_, name, uri := m.Ref()
		return cmp.Or(name, uri)
	case strings.HasPrefix(method, "tasks/"):
		return m.TaskID()
	}
	return m.Subject()
}

const (
	// maxArguments is how many arguments are looked at: more never fit in a record.
	maxArguments = 200
	// maxHashed bounds a value that is hashed, in bytes: the call waits meanwhile.
	maxHashed = 64 << 10
)

// arguments tells of what a call was given: names, sizes, hashes, and values only
// where they are asked for.
func (c *callTracker) arguments(m *relay.Message) (list []audit.Argument, left int) {
	m.EachArgument(func(name string, size int, value func() []byte) {
		if len(list) == maxArguments {
			left++
			return
		}
		a := audit.Argument{Name: name, Bytes: size}
		c.describe(&a, value)
		list = append(list, a)
	})
	return list, left
}

// describe adds what may be told of a value.
func (c *callTracker) describe(a *audit.Argument, value func() []byte) {
	short := a.Bytes <= maxHashed
	if c.key != nil && short {
		a.Hash = c.key.Hash(value())
	}
	switch {
	case c.content && short:
		a.Value = audit.Redact(a.Name, value())
	case c.content:
		a.Value = audit.Redacted
	}
}

// maxOpen bounds the calls that are followed, as the relay bounds those in flight.
const maxOpen = 10_000

func (c *callTracker) add(call *trackedCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) < maxOpen {
		c.open[call] = struct{}{}
	}
}

// remove forgets a call that was not sent on.
func (c *callTracker) remove(call *trackedCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, call)
}

// close forgets a call, and reports whether its result is not logged yet.
func (c *callTracker) close(call *trackedCall) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, call)
	first := !call.over
	call.over = true
	return first
}

// cancelled records that the client gave a call up.
func (c *callTracker) cancelled(request *relay.Request) {
	if call, ok := request.Tag.(*trackedCall); ok && c.close(call) {
		r := call.result(time.Now())
		r.Status = audit.Cancelled
		c.later(r)
	}
}

// unanswered records that nobody waits for an answer to a call any more, and the code
// of the error that its client got instead.
func (c *callTracker) unanswered(request *relay.Request, code int) {
	if call, ok := request.Tag.(*trackedCall); ok && c.close(call) {
		r := call.result(time.Now())
		r.Status, r.Code = audit.Unanswered, code
		c.later(r)
	}
}

// answered records the answer to a call, if it is one that was sent on.
func (c *callTracker) answered(out *relay.Output, request *relay.Request) {
	if request == nil {
		return
	}
	call, ok := request.Tag.(*trackedCall)
	if !ok || !c.close(call) {
		return
	}
	r := call.result(out.Now())
	r.Bytes = out.Size()
	switch {
	case out.Failed():
		r.Status, r.Code = audit.Failed, errorCode(out.Bytes())
	case out.Streamed():
		r.Status = audit.Streamed
	case isToolError(out.Result()):
		r.Status = audit.ToolError
	default:
		r.Status = audit.OK
	}
	c.later(r)
}

// result is what an answer that came now makes of the call.
func (call *trackedCall) result(now time.Time) audit.Outcome {
	return audit.Outcome{
		Time: now, Call: call.id, Method: call.method, Name: call.name,
		Micros: now.Sub(call.sent).Microseconds(),
	}
}

// end records the calls that got no answer.
func (c *callTracker) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for call := range c.open {
		call.over = true
		r := call.result(time.Now())
		r.Status = audit.Unanswered
		c.later(r)
	}
	clear(c.open)
}

// errorCode is the code of an answer that is a JSON-RPC error, or 0.
func errorCode(line []byte) int {
	var answer struct {
		Error struct {
			Code int `json:"code"`
		} `json:"error"`
	}
	_ = relay.DecodeStrict(line, &answer) // 0 is as good as any for what is none
	return answer.Error.Code
}

// isToolError reports whether a result says isError. It is parsed only where it
// holds that, which most results do not: every answer goes through here.
func isToolError(result []byte) bool {
	const member = `"isError"`
	for rest := result; ; {
		i := bytes.Index(rest, []byte(member))
		if i < 0 {
			return false
		}
		rest = rest[i+len(member):]
		value, found := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte{':'})
		if found && bytes.HasPrefix(bytes.TrimLeft(value, " \t\r\n"), []byte("true")) {
			break
		}
	}
	var answer struct {
		IsError bool `json:"isError"`
	}
	return relay.DecodeStrict(result, &answer) == nil && answer.IsError
}
