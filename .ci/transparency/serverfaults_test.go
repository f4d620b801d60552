package transparency

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// faulty starts the proxy in front of a server with a fault.
func (m *machine) faulty(t *testing.T, mode ...string) *session {
	t.Helper()
	return open(t, m.command(proxied(part("faulty", mode...))))
}

const call = `{"jsonrpc":"2.0","id":1,"method":"com.example/call"}`

func heardNote(s *session, name string) func() bool {
	return func() bool { return s.counts["notifications/com.example/"+name] > 0 }
}

// TestServerEnds: the call that is open gets one answer, the client hears the
// end, nothing of the server is left, and the exit status is the server's.
func TestServerEnds(t *testing.T) {
	m := newMachine(t)
	tests := []struct {
		mode   string
		code   int
		reason string
	}{
		{"exit0", 0, "ended before it answered"},
		{"exit7", 7, "ended before it answered"},
		{"segv", 139, "segmentation fault"},
		{"half", 7, "ended before it answered"},
		{"closeout", -1, "closed its output"},
		{"fork", 3, "ended before it answered"},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			s := m.faulty(t, tt.mode)
			must(t, s.await("the server", heardNote(s, "ready")))
			all := family(t, s.command.Process.Pid)
			must(t, s.send(call))
			must(t, s.await("the answer", func() bool { return s.answers["1"] != "" }))
			if code, err := pick(s.answers["1"], "error.code"); err != nil || code != "4502" || !strings.Contains(s.answers["1"], tt.reason) {
				t.Errorf("the call is answered by %s", s.answers["1"])
			}
			for line := range s.lines { // its end is the proxy's
				t.Errorf("the client hears %s, too", line)
			}
			if code := exitCode(s); tt.code >= 0 && code != tt.code {
				t.Errorf("the proxy exits with %d, want %d", code, tt.code)
			}
			awaitGone(t, all)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func exitCode(s *session) int {
	err := s.command.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return -1
	}
	return s.command.ProcessState.ExitCode()
}

// TestServerStopsReading: a call that it cannot get is answered, and the proxy
// lives on.
func TestServerStopsReading(t *testing.T) {
	s := newMachine(t).faulty(t, "closein")
	must(t, s.await("the end of its input", heardNote(s, "closed")))
	all := family(t, s.command.Process.Pid)
	must(t, s.send(call))
	must(t, s.await("the answer", func() bool { return s.answers["1"] != "" }))
	if code, err := pick(s.answers["1"], "error.code"); err != nil || code != "4502" {
		t.Errorf("the call is answered by %s", s.answers["1"])
	}
	s.close()
	awaitGone(t, all)
}

// TestSlowServer: what is sent before a server reads is answered, in order.
func TestSlowServer(t *testing.T) {
	s := newMachine(t).faulty(t, "slow")
	for id := range 50 {
		must(t, s.send(`{"jsonrpc":"2.0","id":`+itoa(id)+`,"method":"com.example/call"}`))
	}
	must(t, s.await("the last answer", func() bool { return s.answers["49"] != "" }))
	for id, line := range s.heard {
		if m, err := understand(line); err != nil || m.id != itoa(id) {
			t.Errorf("answer %d is %s", id, line)
		}
	}
	s.close()
}

// TestNoiseOnStdout: what is no message goes to stderr, and the session goes on.
func TestNoiseOnStdout(t *testing.T) {
	s := newMachine(t).faulty(t, "noise")
	must(t, s.send(call))
	must(t, s.await("the answer", func() bool { return s.answers["1"] != "" }))
	if len(s.heard) != 2 || s.counts["notifications/com.example/crlf"] != 1 {
		t.Errorf("heard %q", s.heard)
	}
	s.close()
	for _, word := range []string{"Server running on stdio", `{\"jsonrpc\":`, `\ufeff`, `\xff\xfe`, `\x1b[31mred`} {
		if !strings.Contains(s.stderr.String(), word) {
			t.Errorf("stderr does not tell of %s:\n%s", word, &s.stderr)
		}
	}
}

// TestLineLengths: both ways, around the sizes of buffers and pipes, and up to
// what the proxy allows; a longer call is refused and the session goes on.
func TestLineLengths(t *testing.T) {
	s := newMachine(t).faulty(t, "answer")
	must(t, s.send(call)) // behind it the proxy knows who is signed in
	must(t, s.await("the answer", func() bool { return s.answers["1"] != "" }))
	for _, length := range []int{1 << 16, 1 << 18, 1 << 20, 64 << 20} {
		for _, n := range []int{length - 1, length, length + 1} {
			id := `"` + itoa(n) + `"`
			head, tail := `{"jsonrpc":"2.0","id":`+id+`,"method":"com.example/echo","params":{"x":"`, `"}}`
			must(t, s.send(head+strings.Repeat("x", n-len(head)-len(tail))+tail))
			must(t, s.await("the answer to a long line", func() bool { return s.answers[id] != "" }))
			answer := s.answers[id]
			if n > 64<<20 {
				if code, err := pick(answer, "error.code"); err != nil || code != "4413" {
					t.Errorf("a line of %d bytes is answered by %s", n, shorten(answer))
				}
				continue
			}
			if arrived, err := pick(answer, "result.bytes"); err != nil || arrived != itoa(n) || len(answer) < n {
				t.Errorf("a line of %d bytes is answered by %s", n, shorten(answer))
			}
			s.heard, s.sent, s.answers = nil, nil, map[string]string{} // gigabytes otherwise
		}
	}
	must(t, s.send(`{"jsonrpc":"2.0","id":2,"method":"com.example/call"}`))
	must(t, s.await("life after it", func() bool { return s.answers["2"] != "" }))
	s.close()
}

// TestStderrFloodThatNobodyReads: a server that writes 200 MB to a stderr which
// the client never reads is not held up.
func TestStderrFloodThatNobodyReads(t *testing.T) {
	m := newMachine(t)
	command := m.command(proxied(part("faulty", "stderr")))
	unread, err := command.StderrPipe()
	must(t, err)
	defer unread.Close()
	s := open(t, command)
	must(t, s.send(call))
	must(t, s.await("the answer", func() bool { return s.answers["1"] != "" }))
	if mib := peak(t, command.Process.Pid); mib > mostMemory {
		t.Errorf("the proxy took %d MiB", mib)
	}
	s.close()
}

// mostMemory bounds the proxy with small messages, in MiB. It is about 20 when
// nothing is wrong; a flood that is kept would be hundreds.
const mostMemory = 64

// TestFloodThatNobodyReads: 100 MB that the client does not read stay where they
// are, a cancellation passes meanwhile, and nothing of it is lost or reordered.
func TestFloodThatNobodyReads(t *testing.T) {
	m := newMachine(t)
	told := m.home + "/told"
	s := unread(t, m.command(proxied(part("faulty", "flood", told))))
	must(t, s.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`))
	eventually(t, "the cancellation passes the flood", func() bool { return exists(told) }, func() string { return "" })
	if mib := peak(t, s.command.Process.Pid); mib > mostMemory {
		t.Errorf("the proxy keeps %d MiB for a client that does not read", mib)
	}
	s.reading()
	for n := range floodNotes {
		line, open := <-s.lines
		if !open {
			t.Fatalf("the flood ends at %d\n%s", n, &s.stderr)
		}
		if got, err := pick(line, "params.n"); err != nil || got != itoa(n) {
			t.Fatalf("note %d is %s", n, shorten(line))
		}
	}
	mib := peak(t, s.command.Process.Pid)
	t.Logf("the proxy took %d MiB", mib)
	if mib > mostMemory {
		t.Errorf("that is too much")
	}
	s.close()
}

// TestDeafServer: a client that floods a server which reads nothing is held up,
// and not the memory of the machine used.
func TestDeafServer(t *testing.T) {
	s := newMachine(t).faulty(t, "deaf")
	must(t, s.await("the server", heardNote(s, "ready")))
	all := family(t, s.command.Process.Pid)
	var sent counter
	go func() {
		line := longNote(1000) + "\n"
		for {
			if n, err := s.stdin.Write([]byte(line)); err != nil || sent.Add(int64(n)) > 1<<30 {
				return
			}
		}
	}()
	before := int64(-1)
	for sent.Load() != before { // until a second goes by in which nothing is taken
		before = sent.Load()
		time.Sleep(time.Second)
	}
	t.Logf("the proxy took %d KiB of the flood", before>>10)
	if before > 16<<20 {
		t.Errorf("the proxy takes %d MiB for a server that reads nothing", before>>20)
	}
	if mib := peak(t, s.command.Process.Pid); mib > mostMemory {
		t.Errorf("the proxy takes %d MiB of memory", mib)
	}
	s.close()
	awaitGone(t, all)
}

// TestBothWriteAtOnce: 8 MiB in each direction at the same time.
func TestBothWriteAtOnce(t *testing.T) {
	s := newMachine(t).faulty(t, "both")
	for range 8 {
		must(t, s.send(longNote(1<<20)))
	}
	must(t, s.await("both to be done", heardNote(s, "done")))
	if n := s.counts["notifications/com.example/long"]; n != 8 {
		t.Errorf("heard %d of 8 MiB", n)
	}
	s.close()
}

// TestBothReadAfterTheyWrote: 8 MiB in one line, in each direction, and nobody
// reads before the own line is out. A plain pipe would never end here.
func TestBothReadAfterTheyWrote(t *testing.T) {
	m := newMachine(t)
	s := unread(t, m.command(proxied(part("faulty", "turns"))))
	wrote := make(chan error, 1)
	go func() { wrote <- s.send(longNote(8 << 20)) }()
	select {
	case err := <-wrote:
		must(t, err)
	case <-time.After(patience):
		t.Fatal("the proxy does not take the client's line before the client reads")
	}
	s.reading()
	must(t, s.await("both to be done", heardNote(s, "done")))
	if n := s.counts["notifications/com.example/long"]; n != 1 || len(s.heard[0]) < 8<<20 {
		t.Errorf("heard %d lines, the first of %d bytes", len(s.heard), len(s.heard[0]))
	}
	s.close()
}

// TestCancellationRacesTheAnswer: a call that is cancelled while its answer is
// on the way gets that answer or none, never two.
func TestCancellationRacesTheAnswer(t *testing.T) {
	s := newMachine(t).faulty(t, "answer")
	answers := map[string]int{}
	for round := range 1000 {
		id := itoa(round)
		must(t, s.send(`{"jsonrpc":"2.0","id":`+id+`,"method":"com.example/call"}`))
		must(t, s.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`+id+`}}`))
	}
	must(t, s.send(`{"jsonrpc":"2.0","id":"last","method":"ping"}`))
	must(t, s.await("the last answer", func() bool { return s.answers[`"last"`] != "" }))
	for _, line := range append(s.heard, s.close()...) {
		m, err := understand(line)
		must(t, err)
		if answers[m.id]++; answers[m.id] > 1 {
			t.Errorf("another answer: %s", line)
		}
	}
}
