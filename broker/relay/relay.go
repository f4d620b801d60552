package relay

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Error codes of the relay's own answers. They lie outside the range that
// JSON-RPC and MCP reserve (-32768 to -32000), so that no client takes one for
// a protocol error and changes the protocol era because of it.
const (
	CodeBackendGone = 4502 // the backend ended before it answered
	CodeTooLong     = 4413 // a message is longer than the limit
	CodeTooMany     = 4429 // too many calls wait at once
	CodeTimeout     = 4504 // the backend did not answer in time
	CodeNotPassed   = 4403 // the gate let an answer of the client not pass
	CodeUnreadable  = 4522 // the answer cannot be read, or came under another id
)

// Action is what becomes of a message.
type Action int

// The actions. The zero Action drops the message, so that a forgotten verdict
// lets nothing pass.
const (
	Drop    Action = iota
	Forward        // to the other side
	Answer         // back to the sender, nothing goes on
	Wait           // until Verdict.Until returns; then it is judged again
)

// Verdict is a gate's judgement of one message.
type Verdict struct {
	Action Action
	// Line replaces the message with Forward (nil: it stays as it is, without
	// the reserved members that the client sent) and is the answer with Answer.
	Line []byte
	// Insert is added to a forwarded message of the client whose Line is nil.
	// [Message.CanHold] tells whether it can be; else the message is refused.
	Insert Insertion
	// Tag comes back with the answer to a forwarded call.
	Tag any
	// Commit, if it is set, must succeed before a forwarded call leaves; else the
	// call is answered by Gate.Uncommitted. Calls that leave in one write may share it.
	Commit Commit
	// WholeAnswer says that the gate wants to read the answer to a forwarded
	// call, or to put another in its place. Any other answer that is longer than
	// 128 KiB passes while it is read.
	WholeAnswer bool
	// Until blocks a waiting call until it can be judged. It must return when
	// its context ends.
	Until func(context.Context)
	// Detached lets a call wait by itself, for a person. Without it the calls that
	// come later wait, too, so that their order stays.
	Detached bool
}

// Commit is what must be done before a call leaves. It is asked once or more, and is
// of a type that can be compared: one for several calls is asked once for all.
type Commit interface{ Commit() error }

// Gate decides what passes. Its methods are quick: they never wait for the
// network, a disk or a person. They may be called by several goroutines at once.
type Gate interface {
	// FromClient judges a message to the backend.
	FromClient(m *Message) Verdict
	// Uncommitted gives the answer to a call that did not leave, because its Commit failed.
	Uncommitted(call *Request, err error) (line []byte)
	// Refused gets a line of the client that was not read.
	Refused(*Refusal)
	// FromBackend judges a message to the client. request is the call that it
	// answers, or nil. Wait is not possible here, and Answer only for a call of the
	// backend, whose id the gate has then. Of a message that is
	// streamed only the method, the id and the kind are known, so it cannot be
	// replaced; and the answer to a call has passed when the gate hears of it.
	FromBackend(out *Output, request *Request) Verdict
}

// Endpoint is one side of the relay: its messages are read from R, what it is
// to hear is written to W.
type Endpoint struct {
	R io.Reader
	W io.Writer
}

// Config is what a relay needs. MaxLine, CallTimeout, Revive, Cancelled and
// Unanswered may be left out.
type Config struct {
	Client, Backend Endpoint
	Gate            Gate
	Reserved        Reserved
	// MaxLine is how long a message may be that must be held as a whole, in
	// bytes: any of the client, and of the backend those that are not streamed.
	// 0 means DefaultMaxLine.
	MaxLine int
	// CallTimeout is how long the backend may take to answer a call; 0 is for
	// ever. It does not hold for initialize and subscriptions/listen.
	CallTimeout time.Duration
	// Revive starts another backend when the last has ended and the client is still there;
	// nil is none. The calls in flight are answered with an error before, and never sent
	// again. It waits as long as it finds right, makes writes to the old backend fail, and
	// gives up with an error, at the latest when ctx ends because the client has left. The
	// new backend hears the client's initialize, notifications/initialized,
	// logging/setLevel and live resources/subscribe again.
	Revive func(ctx context.Context) (Endpoint, error)
	// Stray is given what is dropped because it has no meaning: each line of the backend
	// that is no message, and each answer to nothing. Of a long one it is the beginning.
	Stray func(what Stray, text []byte)
	// Cancelled gets each call in flight that the client gives up, once. Its
	// answer may still come.
	Cancelled func(*Request)
	// Unanswered gets each call that has no answer of the backend, but an error
	// of ours: it took too long, say, or the backend ended. Calls that were never
	// forwarded are among them; their Tag is nil.
	Unanswered func(call *Request, code int)
	// ClientGone is called once when the client will send nothing more. It
	// should make the backend end.
	ClientGone func()
	// ExitReason says why the backend ended, for the calls that it left
	// unanswered. It may wait a moment to find out.
	ExitReason func() string
}

// Stray is what is dropped because it has no meaning.
type Stray int

// What is dropped.
const (
	StrayLine   Stray = iota // of the backend, no message
	StrayAnswer              // of the backend, to no call in flight
	StrayReply               // of the client, to no request in flight
)

func (s Stray) String() string {
	switch s {
	case StrayAnswer:
		return "the server answered no call that waits"
	case StrayReply:
		return "the client answered no request of the server that waits"
	case StrayLine:
	}
	return "the server wrote a line that is no message"
}

// Relay carries messages between one client and one backend.
type Relay struct {
	Config
	toClient    *sink
	toBackend   atomic.Pointer[sink]
	outbox      *outbox // what we say to the client
	backendBox  *outbox // what we say to the backend
	inFlight    pending
	owed        pending // requests of the backend that the client owes an answer
	queue       *queue
	detached    *detached
	running     context.Context // ends with Run
	asks        asks            // our questions to the backend
	clientAsks  asks            // our questions to the client
	restartGate restartGate
	handshake   handshake
	attended    context.Context // ends when the client has left, or Run
	leave       context.CancelFunc
	ended       sync.Once     // of the client
	greeting    chan struct{} // closed when the client's first call was taken
	greeted     sync.Once
}

// New returns a relay that Run sets going.
func New(config Config) *Relay {
	if config.MaxLine == 0 {
		config.MaxLine = DefaultMaxLine
	}
	r := &Relay{
		Config:   config,
		toClient: &sink{w: config.Client.W},
	}
	r.toBackend.Store(&sink{w: config.Backend.W})
	r.inFlight.patience, r.inFlight.expired = config.CallTimeout, r.tooSlow
	r.owed.reused = true
	r.outbox = newOutbox(func() *sink { return r.toClient })
	r.backendBox = newOutbox(r.toBackend.Load)
	r.greeting = make(chan struct{})
	r.queue = newQueue(r)
	r.detached = &detached{relay: r}
	return r
}

// lingering bounds what the relay waits at its end for a client to read its last answers.
const lingering = 300 * time.Millisecond

// lastCalls bounds what calls that still wait to be judged are waited for when the client
// has said its last. They wait for the server to start, as a rule: without this, `mcpauth
// proxy -- node server.js <calls` would lose its calls. A signal cuts it short.
const lastCalls = time.Second

// Run carries messages until the backend has said its last or ctx ends, and
// answers every call that is then still open. A reader of the client that
// blocks for ever is left behind: only the end of the process ends it.
func (r *Relay) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.running = ctx
	r.attended, r.leave = context.WithCancel(ctx)
	defer r.leave()
	widen(r.Client.R)
	widen(r.Client.W)
	go r.outbox.run()
	go r.backendBox.run()
	defer r.backendBox.close()
	go r.queue.run(ctx)
	go func() {
		r.pumpClient()
		r.clientAsks.end()
		r.queue.drained(lastCalls)
		r.clientGone()
		// The backend has ended by now. A client that leaves without reading its
		// last words must not keep us here.
		time.AfterFunc(lingering, cancel)
	}()
	r.serve(ctx)
	r.hearFirst()
	r.asks.end()
	r.clientAsks.end()
	r.answer(slices.Concat(r.inFlight.drain(), r.queue.drain(), r.detached.drain()))
	select {
	case <-r.outbox.close():
	case <-time.After(lingering):
	}
}

// firstCall is how long a backend that ended at once is explained to a client
// that has not spoken yet. Clients hide its stderr and its exit code.
const firstCall = time.Second

// hearFirst waits for the client's first call, so that it gets the reason why a
// backend that ended before it.
func (r *Relay) hearFirst() {
	select {
	case <-r.greeting:
	case <-r.attended.Done():
	case <-time.After(firstCall):
	}
}

func (r *Relay) clientGone() {
	r.ended.Do(func() {
		r.leave()
		r.ClientGone()
	})
}

// answer tells the client of the calls that will get no answer.
func (r *Relay) answer(open []Request) {
	if len(open) == 0 {
		return
	}
	why := r.ExitReason()
	for _, request := range open {
		r.giveUp(&request, CodeBackendGone, why)
	}
}

// giveUp answers a call in place of the backend, from which no answer counts any more.
func (r *Relay) giveUp(call *Request, code int, why string) {
	r.outbox.put(AppendError(nil, call.ID, code, why, nil))
	if r.Unanswered != nil {
		r.Unanswered(call, code)
	}
}

// Notify says something to the client: one notification, without its line end.
func (r *Relay) Notify(text []byte) { r.outbox.put(text) }
