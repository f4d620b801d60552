package transparency

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

// patience bounds each wait for a server; some of npm's are slow to start.
const patience = 30 * time.Second

// session is an AI client on stdio that plays scripts.
type session struct {
	command  *exec.Cmd
	stdin    io.WriteCloser
	lines    chan string
	stdout   io.Reader
	stderr   suite.Output
	patience time.Duration

	sent, heard []string
	answers     map[string]string // the last one by id
	counts      map[string]int    // of notifications and requests by method
	replies     map[string]string // to the server's requests by method
}

// open starts a server, or the proxy in front of one.
func open(t *testing.T, command *exec.Cmd) *session {
	t.Helper()
	s := unread(t, command)
	s.reading()
	return s
}

// unread is open for a client that does not read yet.
func unread(t *testing.T, command *exec.Cmd) *session {
	t.Helper()
	s := &session{
		command: command, lines: make(chan string, 1000), patience: patience,
		answers: map[string]string{}, counts: map[string]int{}, replies: map[string]string{},
	}
	if command.Stderr == nil {
		command.Stderr = &s.stderr
	}
	var err error
	if s.stdout, err = command.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if s.stdin, err = command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() }) // no effect after close
	return s
}

// reading starts to read what the server says.
func (s *session) reading() { go s.read(s.stdout) }

func (s *session) read(stdout io.Reader) {
	defer close(s.lines)
	reader := bufio.NewReaderSize(stdout, 1<<20)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			if line != "" {
				s.lines <- line + " [without a line end]"
			}
			return
		}
		s.lines <- strings.TrimSuffix(line, "\n")
	}
}

func (s *session) send(line string) error {
	s.sent = append(s.sent, line)
	if _, err := io.WriteString(s.stdin, line+"\n"); err != nil {
		return fmt.Errorf("the server does not read: %w\n%s", err, &s.stderr)
	}
	return nil
}

// prompt makes the puppet say a line.
func (s *session) prompt(line string) error {
	return s.send(`{"jsonrpc":"2.0","method":"notifications/puppet/say","params":{"line":"` +
		base64.StdEncoding.EncodeToString([]byte(line)) + `"}}`)
}

func (s *session) await(what string, there func() bool) error {
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	for !there() {
		select {
		case line, open := <-s.lines:
			if !open {
				return fmt.Errorf("waiting for %s, but the server is gone\n%s", what, &s.stderr)
			}
			if err := s.hear(line); err != nil {
				return err
			}
		case <-timer.C:
			return fmt.Errorf("waited %v for %s\nheard %d lines, the last: %s\n%s",
				s.patience, what, len(s.heard), shorten(last(s.heard)), &s.stderr)
		}
	}
	return nil
}

// hear takes one line in and answers it if it is a request.
func (s *session) hear(line string) error {
	s.heard = append(s.heard, line)
	m, err := understand(line)
	switch {
	case err != nil:
		return fmt.Errorf("heard %q: %w", shorten(line), err)
	case m.response:
		s.answers[m.id] = line
		return nil
	}
	s.counts[m.method]++
	reply := s.replies[m.method]
	if m.id == "" || reply == "nothing" {
		return nil
	}
	if reply == "" {
		reply = `"error":{"code":-32601,"message":"the script has no reply to this"}`
	}
	return s.send(`{"jsonrpc":"2.0","id":` + m.id + `,` + reply + `}`)
}

// close ends the session as a client does: it closes the server's input, and
// ends the server if that does not help. It returns what was said until then.
func (s *session) close() (farewell []string) {
	s.stdin.Close()
	term := time.AfterFunc(2*time.Second, func() { _ = s.command.Process.Signal(syscall.SIGTERM) })
	kill := time.AfterFunc(4*time.Second, func() { _ = s.command.Process.Kill() })
	defer term.Stop()
	defer kill.Stop()
	for line := range s.lines {
		farewell = append(farewell, line)
	}
	_ = s.command.Wait() // whoever cares for the status asks for it
	return farewell
}

func last(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

// counter counts for several goroutines.
type counter = atomic.Int64
