package broker

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"runtime/debug"
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

// auditDir is where the audit files are.
func (b *Broker) auditDir() string { return filepath.Join(b.Paths.StateDir, "audit") }

// openRecord opens the audit log. It cannot fail: what cannot be recorded is an
// error of each record, so that every call is refused with the reason, and the
// session lives and goes on once the trouble is over.
func (b *Broker) openRecord(policy string) *record {
	c, _ := b.Config() // a broken one is told of elsewhere
	r := &record{options: audit.Options{
		Dir: b.auditDir(), MaxSize: c.Audit.maxSize(), Keep: c.Audit.keep(), Version: Version(), Policy: policy,
	}}
	_, _ = r.open()
	return r
}

// record is the audit log of a process, which is opened again after an error.
type record struct {
	options audit.Options

	mu  sync.Mutex
	log *audit.Log
}

func (r *record) open() (*audit.Log, error) {
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
func (r *record) Append(a audit.Record) error {
	log, err := r.open()
	if err != nil {
		return err
	}
	return log.Append(a)
}

// Queue implements recorder.
func (r *record) Queue(a audit.Record) (relay.Commit, error) {
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
func (r *record) later(a audit.Outcome) {
	if log, err := r.open(); err == nil {
		log.Later(a)
	}
}

func (r *record) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log != nil {
		_ = r.log.Close() // nobody is left to tell
	}
}

// Version is the version of this binary, as Go stamps it.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
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

// follow puts on record that a running proxy takes another policy.
func (r *record) follow(w *policyWatch, changed func()) {
	w.changed = func() {
		_ = r.Append(audit.Record{Event: audit.PolicyChanged, Policy: policyName(w)}) // calls will tell if it fails
		changed()
	}
}

// record writes one audit line.
func (b *Broker) record(r audit.Record) error {
	log := b.openRecord("")
	defer log.close()
	return log.Append(r)
}

// callBook knows the calls that were sent on, until their answers are recorded. It
// may be nil, and then records neither answers nor hashes.
type callBook struct {
	ids     audit.IDs
	key     *audit.Key // nil: no hashes of arguments
	content bool       // whether values are kept
	later   func(audit.Outcome)

	mu   sync.Mutex
	open map[*openCall]struct{} // at most maxOpen
}

// openCall is a call on its way. It is the tag of its request in the relay.
type openCall struct {
	*writtenUser
	id           string
	method, name string
	sent         time.Time
	over         bool // its result is on record; guarded by the book's mu
}

// openCalls makes the book of a proxy. Without the machine's key, which is then told
// of, arguments are recorded without hashes.
func (b *Broker) openCalls(log *record, said *logbook) *callBook {
	c, _ := b.Config()
	book := &callBook{content: c.Audit.Content, later: log.later, open: map[*openCall]struct{}{}}
	var err error
	if book.key, err = audit.OpenKey(filepath.Join(b.Paths.StateDir, "audit.key")); err != nil {
		said.say("arguments are recorded without their hashes: " + err.Error())
	}
	return book
}

// record writes the audit record of a call. What cannot be recorded must not
// happen, so whoever would let the call leave looks at the error.
func (g *gate) record(m *relay.Message, user *identity.User, decision, reason string) error {
	return g.audit.Append(g.callRecord(m, user, decision, reason))
}

// recordCall prepares the record of a call that is allowed, whose answer is then
// recorded, too. It is written when the commit is done, before the call leaves.
func (g *gate) recordCall(m *relay.Message, user *writtenUser, rule string) (*openCall, relay.Commit, error) {
	r := g.callRecord(m, user.user, audit.Allow, rule)
	call := &openCall{writtenUser: user, method: r.Method, name: r.Name, sent: r.Time}
	if g.calls != nil {
		call.id = g.calls.ids.Next(r.Time)
		r.ID = call.id
	}
	commit, err := g.audit.Queue(r)
	if err != nil {
		return nil, nil, err
	}
	g.calls.add(call)
	return call, commit, nil
}

func (g *gate) callRecord(m *relay.Message, user *identity.User, decision, reason string) audit.Record {
	r := audit.Record{
		Time: m.Now(), Event: audit.Call, Profile: g.profile(), Server: g.server,
		Sub: user.Sub, Email: user.Email,
		Method: m.Method(), Name: audit.RedactURI(m.Subject()),
		Decision: decision, Reason: reason, Spoofed: m.Spoofed(),
	}
	r.Arguments, r.ArgumentsCut = g.calls.arguments(m)
	if client := g.client.Load(); client != nil {
		r.Client, r.ClientVersion = client.Name, client.Version
	}
	return r
}

const (
	// maxArguments is how many arguments are looked at: more never fit in a record.
	maxArguments = 200
	// maxHashed bounds a value that is hashed, in bytes: the call waits meanwhile.
	maxHashed = 64 << 10
)

// arguments tells of what a call was given: names, sizes, hashes, and values only
// where they are asked for.
func (c *callBook) arguments(m *relay.Message) (list []audit.Argument, left int) {
	m.EachArgument(func(name string, size int, value func() []byte) {
		if len(list) == maxArguments {
			left++
			return
		}
		a := audit.Argument{Name: name, Bytes: size}
		if c != nil {
			c.describe(&a, value)
		}
		list = append(list, a)
	})
	return list, left
}

// describe adds what may be told of a value.
func (c *callBook) describe(a *audit.Argument, value func() []byte) {
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

func (c *callBook) add(call *openCall) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) < maxOpen {
		c.open[call] = struct{}{}
	}
}

// remove forgets a call that was not sent on.
func (c *callBook) remove(call *openCall) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, call)
}

// close forgets a call, and reports whether its result is not on record yet.
func (c *callBook) close(call *openCall) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, call)
	first := !call.over
	call.over = true
	return first
}

// cancelled records that the client gave a call up.
func (c *callBook) cancelled(request *relay.Request) {
	if c == nil {
		return
	}
	if call, ok := request.Tag.(*openCall); ok && c.close(call) {
		r := call.result(time.Now())
		r.Status = audit.Cancelled
		c.later(r)
	}
}

// unanswered records that nobody waits for an answer to a call any more, and the code
// of the error that its client got instead.
func (c *callBook) unanswered(request *relay.Request, code int) {
	if c == nil {
		return
	}
	if call, ok := request.Tag.(*openCall); ok && c.close(call) {
		r := call.result(time.Now())
		r.Status, r.Code = audit.Unanswered, code
		c.later(r)
	}
}

// answered records the answer to a call, if it is one that was sent on.
func (c *callBook) answered(out *relay.Output, request *relay.Request) {
	if c == nil || request == nil {
		return
	}
	call, ok := request.Tag.(*openCall)
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
func (call *openCall) result(now time.Time) audit.Outcome {
	return audit.Outcome{
		Time: now, Call: call.id, Method: call.method, Name: call.name,
		Micros: now.Sub(call.sent).Microseconds(),
	}
}

// end records the calls that got no answer.
func (c *callBook) end() {
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
	_ = json.Unmarshal(line, &answer) // 0 is as good as any for what is none
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
	return json.Unmarshal(result, &answer) == nil && answer.IsError
}
