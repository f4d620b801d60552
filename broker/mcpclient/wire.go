package mcpclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"unicode/utf8"
)

// wire is the pipe to a server: lines of JSON, which are kept as they came. Maps would
// lose the order of a form's fields and digits of big numbers.
type wire struct {
	lines *bufio.Reader
	out   io.Writer
	heard func(method string, params json.RawMessage)                     // of notifications, in their order
	asked func(id json.RawMessage, method string, params json.RawMessage) // of requests, each in a goroutine

	beat func()            // at each message of the server
	warn func(text string) // about its bytes

	mu      sync.Mutex
	waiting map[string]chan message // for answers, by the JSON text of the id
	over    bool
	badText sync.Once
	done    chan struct{} // closed when nothing more will come
}

// maxLine bounds one message of the server, in bytes. The gate holds none that is
// longer, but lets longer answers pass.
const maxLine = 256 << 20

// ErrClosed is the cause of the problem that the server has ended.
var ErrClosed = errors.New("the server has ended")

func newWire(r io.Reader, w io.Writer) *wire {
	return &wire{
		lines: bufio.NewReaderSize(r, 64<<10), out: w,
		waiting: map[string]chan message{}, done: make(chan struct{}),
	}
}

// message is one line of the server, of any kind.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

// read takes the server's messages until there are no more.
func (w *wire) read() {
	defer w.end()
	for {
		line, err := w.line()
		if err != nil {
			// The gate waits for its reader: take the rest, and drop it.
			_, _ = io.Copy(io.Discard, w.lines)
			return
		}
		var m message
		if json.Unmarshal(line, &m) != nil {
			continue
		}
		w.beat()
		if !utf8.Valid(line) {
			w.badText.Do(func() {
				w.warn("what the server wrote is not UTF-8, so it is no valid JSON; bytes that cannot be read are shown as \uFFFD")
			})
		}
		w.take(m)
	}
}

// line reads one line of bounded length.
func (w *wire) line() ([]byte, error) {
	var whole []byte
	for {
		piece, err := w.lines.ReadSlice('\n')
		switch {
		case len(whole)+len(piece) > maxLine:
			return nil, bufio.ErrTooLong
		case err == nil && whole == nil:
			return bytes.Clone(piece), nil
		}
		whole = append(whole, piece...)
		if err == nil {
			return whole, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

func (w *wire) take(m message) {
	nameless := m.ID == nil || string(m.ID) == "null"
	switch {
	case m.Method != "" && nameless:
		w.heard(m.Method, m.Params)
	case m.Method != "":
		w.asked(m.ID, m.Method, m.Params)
	case !nameless:
		w.mu.Lock()
		defer w.mu.Unlock()
		if answer := w.waiting[string(m.ID)]; answer != nil { // the gate knows who spells ids otherwise
			delete(w.waiting, string(m.ID))
			answer <- m
		}
	}
}

func (w *wire) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	close(w.done)
}

// send writes one message as a line.
func (w *wire) send(message any) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line) // which ends it
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(message); err != nil {
		return err
	}
	if _, err := w.out.Write(line.Bytes()); err != nil { // a pipe: no write gets in between another
		return ErrClosed
	}
	return nil
}

// call sends a request and waits for its answer. id is the JSON text of its id.
func (w *wire) call(ctx context.Context, id string, request any) (message, error) {
	answer := make(chan message, 1)
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		return message{}, ErrClosed
	}
	w.waiting[id] = answer
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.waiting, id)
	}()
	if err := w.send(request); err != nil {
		return message{}, err
	}
	select {
	case m := <-answer:
		return m, nil
	case <-ctx.Done():
		return message{}, ctx.Err()
	case <-w.done:
	}
	select { // it may have come just before the end
	case m := <-answer:
		return m, nil
	default:
		return message{}, ErrClosed
	}
}
