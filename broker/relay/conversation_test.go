package relay

import (
	"bufio"
	"context"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// openGate lets everything pass; tests put their own judgement in.
type openGate struct {
	judge func(*Message) Verdict
	back  func(*Output, *Request) Verdict

	mu       sync.Mutex
	refusals []string
}

func (g *openGate) FromClient(m *Message) Verdict {
	if g.judge != nil {
		return g.judge(m)
	}
	return Verdict{Action: Forward}
}

func (g *openGate) FromBackend(out *Output, request *Request) Verdict {
	if g.back != nil {
		return g.back(out, request)
	}
	return Verdict{Action: Forward}
}

func (g *openGate) Uncommitted(call *Request, err error) []byte {
	return AppendError(nil, call.ID, 4507, err.Error(), nil)
}

func (g *openGate) Refused(r *Refusal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refusals = append(g.refusals, r.Reason)
}

// conversation is a relay with a scripted client and backend around it.
type conversation struct {
	t             *testing.T
	relay         *Relay
	client        *party
	backend       *party
	stray         chan string
	done          chan struct{}
	stop          context.CancelFunc
	exitReason    string
	onlyOneEnding atomic.Int32
}

// endsOnce checks that ClientGone was called once. A goroutine does it that may
// still be on its way when the relay is done.
func (c *conversation) endsOnce() {
	c.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); c.onlyOneEnding.Load() == 0 && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if n := c.onlyOneEnding.Load(); n != 1 {
		c.t.Errorf("ClientGone was called %d times", n)
	}
}

// party is one end: what it writes goes to the relay, what it is told comes in
// lines.
type party struct {
	t     *testing.T
	in    *io.PipeWriter
	out   *io.PipeReader
	lines chan string
}

const patience = 30 * time.Second

func converse(t *testing.T, gate *openGate, change ...func(*Config)) *conversation {
	t.Helper()
	c := &conversation{t: t, stray: make(chan string, 100), done: make(chan struct{}), exitReason: "it ended"}
	c.client, c.backend = newParty(t), newParty(t)
	clientR, clientW := c.client.ends()
	backendR, backendW := c.backend.ends()
	config := Config{
		Client:   Endpoint{R: clientR, W: clientW},
		Backend:  Endpoint{R: backendR, W: backendW},
		Gate:     gate,
		Reserved: testReserved,
		Stray:    func(_ Stray, line []byte) { c.stray <- string(line) },
		ClientGone: func() {
			c.onlyOneEnding.Add(1)
			_ = c.backend.in.Close()
		},
		ExitReason: func() string { return c.exitReason },
	}
	for _, f := range change {
		f(&config)
	}
	c.relay = New(config)
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	go func() {
		defer close(c.done)
		c.relay.Run(ctx)
		_ = clientW.Close()
		_ = backendW.Close()
	}()
	t.Cleanup(c.end)
	return c
}

func newParty(t *testing.T) *party {
	return &party{t: t, lines: make(chan string, 10000)}
}

// ends gives the relay its ends of the two pipes.
func (p *party) ends() (*io.PipeReader, *io.PipeWriter) {
	r, in := io.Pipe()
	out, w := io.Pipe()
	p.in, p.out = in, out
	return r, w
}

// listen starts to read what the party is told.
func (p *party) listen() *party {
	go func() {
		defer close(p.lines)
		reader := bufio.NewReaderSize(p.out, 1<<20)
		for {
			line, err := reader.ReadString('\n')
			if line != "" {
				p.lines <- strings.TrimSuffix(line, "\n")
			}
			if err != nil {
				return
			}
		}
	}()
	return p
}

func (p *party) say(lines ...string) {
	p.t.Helper()
	for _, line := range lines {
		if _, err := io.WriteString(p.in, line+"\n"); err != nil {
			p.t.Fatalf("the relay does not listen: %v", err)
		}
	}
}

func (p *party) hears(want ...string) {
	p.t.Helper()
	for _, w := range want {
		if got := p.next(); got != w {
			p.t.Fatalf("got  %.300s\nwant %.300s", got, w)
		}
	}
}

func (p *party) next() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatal("the stream ended")
		}
		return line
	case <-time.After(patience):
		p.t.Fatal("nothing was said in time")
	}
	return ""
}

func (c *conversation) end() {
	_ = c.client.in.Close()
	_ = c.backend.in.Close()
	_ = c.client.out.Close()
	_ = c.backend.out.Close()
	c.stop()
	select {
	case <-c.done:
	case <-time.After(patience):
		c.t.Error("the relay did not end")
	}
}

// calls makes the client call under these ids.
func (c *conversation) calls(ids ...string) {
	c.t.Helper()
	for _, id := range ids {
		call := `{"jsonrpc":"2.0","id":` + id + `,"method":"x"}`
		c.client.say(call)
		c.backend.hears(call)
	}
}

func (c *conversation) listen() { c.client.listen(); c.backend.listen() }
