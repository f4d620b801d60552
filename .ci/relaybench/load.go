package main

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
)

// amounts are how much is done in one turn.
type amounts struct {
	calls, pipelined, burst, lists, starts int
	echoes                                 [len(echoSizes)]int
}

// passes are how often the targets take turns in a step.
const passes = 3

func (o options) amounts() amounts {
	a := amounts{calls: max(1, o.calls/passes), burst: 5000, lists: 10, starts: 2, echoes: [...]int{32, 8, 2}}
	a.pipelined = 10 * a.calls
	if o.quick {
		a.burst, a.starts, a.echoes = 1000, 1, [...]int{4, 2, 1}
	}
	return a
}

var echoSizes = [...]int{64 << 10, 1 << 20, 16 << 20}

// window is the number of pipelined calls in flight.
const window = 64

// work is so much done in such a time.
type work struct {
	amount float64
	took   time.Duration
}

func (w *work) add(amount float64, since time.Time) {
	w.amount += amount
	w.took += time.Since(since)
}

func (w work) perSecond() float64 { return w.amount / w.took.Seconds() }

// tally is what was measured of one target in one round.
type tally struct {
	starts, calls, lists       []time.Duration
	cpu                        time.Duration // of the target's own processes, in sequential calls
	pipelined, down, up        work
	echoes                     [len(echoSizes)]work
	memoryAtFirst, memoryAtEnd float64
}

// payloads are texts of echo's arguments, by size.
var payloads = func() (texts [len(echoSizes)]string) {
	for i, size := range echoSizes {
		texts[i] = `{"text":"` + strings.Repeat("x", size) + `"}`
	}
	return texts
}()

var smallPayload = `{"text":"` + strings.Repeat("x", 100) + `"}`

// steps are what is measured, in this order: what leaves a target with garbage
// to collect comes last.
var steps = []step{
	{"start", (*session).starts}, {"call", (*session).sequential}, {"pipelined", (*session).pipelined},
	{"down", (*session).burstDown}, {"up", (*session).burstUp}, {"list", (*session).lists}, {"echo", (*session).echoes},
}

type step struct {
	name string
	run  func(*session, amounts, *tally) error
}

// take does one step.
func (s *session) take(step step, a amounts, t *tally) error {
	runtime.GC() // ours, not amid what is measured
	s.still()
	if err := step.run(s, a, t); err != nil {
		s.faults.Lost++
		return s.failed(err)
	}
	return nil
}

// expect compares a line with what it must be.
func (s *session) expect(line, want []byte) {
	if bytes.Equal(line, want) {
		return
	}
	if len(line) == len(want) && !bytes.Equal(head(line), head(want)) {
		s.faults.Reordered++ // an answer of the same kind, but to another call
		return
	}
	s.faults.Altered++
}

// head is the part of a line that tells it from its like: the id, or the
// number of a notification.
func head(line []byte) []byte {
	if at := bytes.Index(line, []byte(`,"result":`)); at >= 0 {
		return line[:at]
	}
	return line[:min(len(line), 120)]
}

func (s *session) id() int {
	s.nextID++
	return s.nextID
}

// callEcho calls the tool echo and waits for the answer.
func (s *session) callEcho(arguments string) (took time.Duration, err error) {
	id := s.id()
	s.text = appendCall(s.text[:0], id, "echo", arguments)
	s.calls++
	began := time.Now()
	line, err := s.ask(s.text)
	took = time.Since(began)
	if err == nil {
		s.text = appendEcho(s.text[:0], id, arguments)
		s.expect(line, s.text)
	}
	return took, err
}

// starts measures how long the target takes to answer initialize, in processes
// of their own.
func (s *session) starts(a amounts, t *tally) error {
	for range a.starts {
		other, took, err := s.target.start()
		if err != nil {
			return err
		}
		t.starts = append(t.starts, took)
		if err := other.stop(); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) sequential(a amounts, t *tally) error {
	before := cpuTime(s.family)
	for range a.calls {
		took, err := s.callEcho(smallPayload)
		if err != nil {
			return err
		}
		t.calls = append(t.calls, took)
	}
	t.cpu += cpuTime(s.family) - before
	return nil
}

// pipelined has as many callers as may be in flight, each of which waits for
// its own answer, as in a client.
func (s *session) pipelined(a amounts, t *tally) error {
	p := &pipeline{session: s, left: a.pipelined}
	for range window {
		p.callers = append(p.callers, make(chan struct{}, 1))
	}
	began := time.Now()
	var calling sync.WaitGroup
	for n := range p.callers {
		calling.Go(func() { p.call(n) })
	}
	err := p.readAnswers(a.pipelined)
	for _, answered := range p.callers {
		close(answered)
	}
	calling.Wait()
	t.pipelined.add(float64(a.pipelined), began)
	return errors.Join(err, p.err)
}

// pipeline is one connection with many callers.
type pipeline struct {
	*session
	callers []chan struct{} // each is told of its answer
	mu      sync.Mutex      // held while a call is written
	left    int
	sent    []sentCall // in the order in which they were written
	err     error
}

type sentCall struct{ id, caller int }

func (p *pipeline) call(caller int) {
	for p.send(caller) {
		if _, open := <-p.callers[caller]; !open {
			return
		}
	}
}

// send writes one call. It reports false when all are sent.
func (p *pipeline) send(caller int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 || p.err != nil {
		return false
	}
	p.left--
	id := p.id()
	p.calls++
	p.sent = append(p.sent, sentCall{id, caller})
	p.text = appendCall(p.text[:0], id, "echo", smallPayload)
	if p.err = p.write(p.text); p.err != nil {
		_ = p.command.Process.Kill() // or the reader would wait for ever
	}
	return p.err == nil
}

func (p *pipeline) readAnswers(count int) error {
	var want []byte
	for got := 0; got < count; {
		runtime.Gosched() // who can call must not wait for us to read
		line, err := p.line()
		if err != nil {
			return err
		}
		p.mu.Lock()
		sent := p.sent[got:]
		p.mu.Unlock()
		for ; line != nil; line = p.ready() {
			if len(sent) == 0 {
				return fmt.Errorf("nobody asked for %.200s", line)
			}
			want = appendEcho(want[:0], sent[0].id, smallPayload)
			p.expect(line, want)
			p.callers[sent[0].caller] <- struct{}{}
			sent = sent[1:]
			got++
		}
	}
	return nil
}

// burstDown lets the server send notifications as fast as it can.
func (s *session) burstDown(a amounts, t *tally) error {
	call := appendCall(nil, s.id(), "burst", fmt.Sprintf(`{"count":%d}`, a.burst))
	s.calls++
	began := time.Now()
	line, err := s.ask(call)
	for n := range a.burst {
		if err != nil {
			return err
		}
		s.text = appendLog(s.text[:0], n)
		s.expect(line, s.text)
		line, err = s.line()
	}
	if err != nil {
		return err
	}
	t.down.add(float64(a.burst), began)
	s.expect(line, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":{"content":[]}}`, s.nextID))
	return nil
}

// burstUp sends notifications to the server as fast as it can.
func (s *session) burstUp(a amounts, t *tally) error {
	before, err := s.stats()
	if err != nil {
		return err
	}
	s.text = s.text[:0]
	for n := range a.burst {
		s.text = appendProgress(s.text, before.Notes+n)
	}
	began := time.Now()
	if err := s.write(s.text); err != nil {
		return err
	}
	after, err := s.stats()
	if err != nil {
		return err
	}
	t.up.add(float64(a.burst), began)
	s.faults.Lost += a.burst - (after.Notes - before.Notes)
	s.faults.Reordered += after.Disordered - before.Disordered
	return nil
}

func (s *session) echoes(a amounts, t *tally) error {
	for i, size := range echoSizes {
		for range a.echoes[i] {
			took, err := s.callEcho(payloads[i])
			if err != nil {
				return err
			}
			t.echoes[i].amount += float64(size) / 1e6
			t.echoes[i].took += took
		}
	}
	return nil
}

// wantedList holds what tools/list must give, by whether a proxy hides the
// argument that it fills in itself.
var wantedList = map[bool][]byte{false: toolList(true), true: toolList(false)}

func (s *session) lists(a amounts, t *tally) error {
	for range a.lists {
		id := s.id()
		s.text = appendList(s.text[:0], id)
		began := time.Now()
		line, err := s.ask(s.text)
		if err != nil {
			return err
		}
		t.lists = append(t.lists, time.Since(began))
		s.text = fmt.Appendf(s.text[:0], `{"jsonrpc":"2.0","id":%d,"result":%s}`, id, wantedList[s.proxy])
		s.expect(line, s.text)
	}
	return nil
}
