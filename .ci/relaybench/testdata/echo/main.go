// Command echo is the server behind every target of relaybench. It is as fast
// as one can be, because what it costs dilutes every ratio: it copies bytes and
// decodes nothing, and so it answers with exactly what it received.
//
//	echo FILE
//
// The first line of FILE is the user that a proxy adds to each call, the second
// the result of tools/list.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
)

func main() {
	runtime.GOMAXPROCS(4) // as in relaybench, and for its reason
	s := &server{in: os.Stdin, w: os.Stdout, file: os.Args[1], buf: make([]byte, 256<<10)}
	for s.fill() {
		for line := s.next(); line != nil; line = s.next() {
			s.answer(line)
		}
		s.flush()
	}
}

type server struct {
	in   io.Reader
	w    io.Writer
	file string

	buf        []byte
	start, end int // what is read and not answered
	searched   int
	out        []byte // answers that are not written yet
	head       []byte

	user, tools []byte
	asked       []byte // id of the call that waits for the client's answer

	calls, users      int // calls, and those that carried the user
	notes, disordered int // notifications, and those out of order
}

// fill reads more, until the client closes.
func (s *server) fill() bool {
	switch {
	case s.start == s.end:
		s.start, s.end, s.searched = 0, 0, 0
	case s.end == len(s.buf) && s.start > 0:
		s.end = copy(s.buf, s.buf[s.start:s.end])
		s.searched -= s.start
		s.start = 0
	case s.end == len(s.buf):
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	n, err := s.in.Read(s.buf[s.end:])
	s.end += n
	return err == nil
}

// next is the next whole line with its line end, or nil.
func (s *server) next() []byte {
	at := bytes.IndexByte(s.buf[s.searched:s.end], '\n')
	if at < 0 {
		s.searched = s.end
		return nil
	}
	line := s.buf[s.start : s.searched+at+1]
	s.start = s.searched + at + 1
	s.searched = s.start
	return line
}

// long is from where an answer is written from the place where it was read.
const long = 32 << 10

func (s *server) write(text []byte) {
	if len(text) < long {
		s.out = append(s.out, text...)
		return
	}
	s.flush()
	s.send(text)
}

func (s *server) flush() {
	if len(s.out) > 0 {
		s.send(s.out)
		s.out = s.out[:0]
	}
}

func (s *server) send(text []byte) {
	if _, err := s.w.Write(text); err != nil {
		os.Exit(1) // nobody reads: relaybench has given up
	}
}

// window is where the members of a message are looked for: a payload behind it
// is never searched.
const window = 8 << 10

var (
	idMember     = []byte(`{"jsonrpc":"2.0","id":`)
	methodMember = []byte(`,"method":"`)
)

func (s *server) answer(line []byte) {
	rest, isCall := bytes.CutPrefix(line, idMember)
	if !isCall {
		s.noteNotification(line)
		return
	}
	id, rest, asks := bytes.Cut(rest[:min(len(rest), window)], methodMember)
	switch {
	case !asks:
		s.result(s.asked, bytes.TrimSuffix(line, []byte("\n")))
	case bytes.HasPrefix(rest, []byte("tools/call")):
		s.call(line, id)
	case bytes.HasPrefix(rest, []byte("tools/list")):
		s.load()
		s.result(id, s.tools)
	case bytes.HasPrefix(rest, []byte("initialize")):
		s.result(id, []byte(`{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"echo","version":"1"}}`))
	default:
		s.result(id, []byte(`{}`))
	}
}

// load reads the file when it is needed, to keep it out of the start.
func (s *server) load() {
	if s.tools != nil {
		return
	}
	text, err := os.ReadFile(s.file)
	if err != nil {
		panic(err)
	}
	s.user, s.tools, _ = bytes.Cut(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}

func (s *server) appendHead(dst, id []byte) []byte {
	return append(append(append(dst, idMember...), id...), `,"result":`...)
}

func (s *server) result(id, result []byte) {
	s.out = append(append(s.appendHead(s.out, id), result...), '}', '\n')
}

var (
	echoTool      = []byte(`"name":"echo","arguments":`)
	burstTool     = []byte(`"name":"burst","arguments":{"count":`)
	askTool       = []byte(`"name":"ask",`)
	statsTool     = []byte(`"name":"stats",`)
	structuredKey = []byte(`{"content":[],"structuredContent":`)
)

func (s *server) call(line, id []byte) {
	s.load()
	s.calls++
	front := line[:min(len(line), window)]
	if bytes.Contains(front, s.user) {
		s.users++
	}
	if at := bytes.Index(front, echoTool); at >= 0 {
		s.echo(line, id, at+len(echoTool))
		return
	}
	switch at := bytes.Index(front, burstTool); {
	case at >= 0:
		s.burst(number(line[at+len(burstTool):]))
		s.result(id, []byte(`{"content":[]}`))
	case bytes.Contains(front, askTool):
		s.asked = bytes.Clone(id)
		s.out = append(s.out, `{"jsonrpc":"2.0","id":9007199254740993,"method":"sampling/createMessage","params":{"maxTokens":1.0,"x":"\u00e9\/"}}`+"\n"...)
	case bytes.Contains(front, statsTool):
		s.result(id, fmt.Appendf(nil, `{"content":[],"structuredContent":{"calls":%d,"users":%d,"notes":%d,"disordered":%d}}`,
			s.calls, s.users, s.notes, s.disordered))
	default:
		s.result(id, append(append(bytes.Clone(structuredKey), bytes.TrimSuffix(line, []byte("\n"))...), '}'))
	}
}

// echo answers with the arguments as they came. The head of the answer is
// shorter than that of the question, so it is written over it, and a payload is
// never copied.
func (s *server) echo(line, id []byte, at int) {
	s.head = append(s.appendHead(s.head[:0], id), structuredKey...)
	from := at - len(s.head)
	copy(line[from:], s.head)
	s.write(line[from:])
}

func (s *server) burst(count int) {
	for i := range count {
		s.out = append(s.out, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":`...)
		s.out = append(strconv.AppendInt(s.out, int64(i), 10), "}}\n"...)
		if len(s.out) >= long {
			s.flush()
		}
	}
}

var progress = []byte(`"params":{"progressToken":1,"progress":`)

// noteNotification checks that notifications come in order.
func (s *server) noteNotification(line []byte) {
	at := bytes.Index(line, progress)
	if at < 0 {
		return
	}
	if number(line[at+len(progress):]) != s.notes {
		s.disordered++
	}
	s.notes++
}

func number(text []byte) (n int) {
	for _, c := range text {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n
}
