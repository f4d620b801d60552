package relay

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// heap buffers stand for both sides of a relay that reads through a buffer of
// the given size.
type pieces struct{ toClient, toBackend bytes.Buffer }

func piecesRelay(p *pieces) *Relay {
	r := New(Config{
		Client: Endpoint{W: &p.toClient}, Backend: Endpoint{W: &p.toBackend},
		Gate: userGate(), Reserved: testReserved, MaxLine: 1 << 20,
		Stray: func(Stray, []byte) {}, ClientGone: func() {}, ExitReason: func() string { return "" },
	})
	r.running = context.Background()
	return r
}

// clientSays runs a client's stream through the relay, in pieces of a few bytes
// if the buffer is small.
func clientSays(stream []byte, buffer int) (toBackend, toClient string) {
	var p pieces
	r := piecesRelay(&p)
	go r.outbox.run()
	in := r.newInbound()
	in.pump(newLineReader(&trickle{text: bytes.Clone(stream)}, buffer))
	in.spools.close()
	<-r.outbox.close()
	return p.toBackend.String(), p.toClient.String()
}

func backendSays(stream []byte, buffer int) (toClient string) {
	var p pieces
	r := piecesRelay(&p)
	for line := range bytes.SplitSeq(stream, []byte{'\n'}) {
		var scanner Scanner
		if o := scanner.Scan(line); o != nil && o.Kind() == Response {
			if call, _ := r.inFlight.add(Request{ID: bytes.Clone(o.ID())}, false); call != nil {
				r.inFlight.leaves(call)
			}
		}
	}
	out := &outbound{Relay: r, out: batch{sink: func() *sink { return r.toClient }}}
	out.pump(newLineReader(&trickle{text: bytes.Clone(stream)}, buffer))
	return p.toClient.String()
}

// checkPieces fails if it matters through which buffer a stream is read.
func checkPieces(t *testing.T, stream []byte) {
	t.Helper()
	wantBackend, wantClient := clientSays(stream, bufferSize)
	gotBackend, gotClient := clientSays(stream, 8)
	if trimmed(gotBackend) != trimmed(wantBackend) || withoutFlaw(gotClient) != withoutFlaw(wantClient) {
		t.Errorf("%q\nin pieces to the backend %q\nand as a whole           %q\nto the client %q\nand           %q", stream, gotBackend, wantBackend, gotClient, wantClient)
	}
	var messages []byte // lines that may be streamed
	used := map[string]bool{}
	for line := range bytes.SplitSeq(stream, []byte{'\n'}) {
		var scanner Scanner
		o := scanner.Scan(line)
		if o == nil || !streamable(line) || !bytes.Equal(o.Bytes(), line) {
			continue
		}
		if key := idKey(o.ID()); o.Kind() != Notification {
			if o.ID() == nil || used[key] {
				continue // an answer that belongs to no call
			}
			used[key] = true
		}
		messages = append(append(messages, line...), '\n')
	}
	if got, want := backendSays(messages, 8), string(messages); trimmed(got) != trimmed(want) {
		t.Errorf("the backend said %q\nthe client heard %q", want, got)
	}
}

// trimmed is a stream without the blanks at the ends of lines: a CR there may
// have become one, and behind a long message of the backend they are dropped.
func trimmed(stream string) string {
	lines := strings.Split(stream, "\n")
	for i := range lines {
		lines[i] = strings.Trim(lines[i], " \t\r")
	}
	return strings.Join(lines, "\n")
}

// withoutFlaw is a stream of answers that do not say which byte was wrong: of a
// line that ends with a CR it may be that or none.
func withoutFlaw(stream string) string {
	for _, why := range []flaw{endsEarly, strayByte} {
		stream = strings.ReplaceAll(stream, ": "+why.String(), "")
	}
	return stream
}

// streamable reports whether a message says each thing once.
func streamable(line []byte) bool {
	var s Scanner
	s.start(line, nil)
	s.out.streamed = true
	s.message()
	return s.closed
}

func TestPiecesMakeNoDifference(t *testing.T) {
	var all []byte
	for _, test := range hostile {
		checkPieces(t, []byte(test.line))
		all = append(append(all, test.line...), '\n')
	}
	for _, line := range outputs {
		checkPieces(t, []byte(line))
	}
	checkPieces(t, all)
}

// FuzzPiecesMakeNoDifference proves that a long line means what the same line
// means when it is short: to the backend, to the gate and to whoever is refused.
func FuzzPiecesMakeNoDifference(f *testing.F) {
	for _, test := range hostile {
		if len(test.line) < 1000 {
			f.Add([]byte(test.line))
		}
	}
	for _, line := range outputs {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, stream []byte) { checkPieces(t, stream) })
}

// A reader that says nothing and does not end must not make us spin.
func TestReaderWithoutProgress(t *testing.T) {
	lines := newLineReader(readerFunc(func([]byte) (int, error) { return 0, nil }), 8)
	if err := lines.fill(); err != io.ErrNoProgress {
		t.Errorf("error %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
