package cmd

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// session is a person at a terminal, and a program that runs in it.
type session struct {
	*testing.T
	person  *os.File
	command *exec.Cmd

	mu     sync.Mutex
	screen bytes.Buffer // all that the program wrote
}

// sit runs "mcpauth args..." at a terminal of 80 columns, which ctrl+c reaches.
func (m *machine) sit(args ...string) *session {
	m.t.Helper()
	person, program := terminal(m.t)
	if err := unix.IoctlSetWinsize(int(person.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		m.t.Fatal(err)
	}
	s := &session{T: m.t, person: person, command: m.command(args...)}
	s.command.Stdin, s.command.Stdout, s.command.Stderr = program, program, program
	s.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.command.Start(); err != nil {
		m.t.Fatal(err)
	}
	_ = program.Close() // or the reader below would not see the end
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := person.Read(buffer)
			s.mu.Lock()
			s.screen.Write(buffer[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	m.t.Cleanup(func() { _ = s.command.Process.Kill() }) // one that has ended stays ended
	return s
}

func (s *session) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(s.screen.String(), "\r\n", "\n")
}

// until waits until all texts were shown, and then types.
func (s *session) until(typed string, texts ...string) {
	s.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		shown, missing := s.shown(), ""
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				missing = text
			}
		}
		if missing == "" {
			break
		}
		if time.Now().After(deadline) {
			s.Fatalf("%q was not shown:\n%s", missing, shown)
		}
	}
	if _, err := s.person.WriteString(typed); err != nil {
		s.Fatal(err)
	}
}

// exits waits for the end.
func (s *session) exits(code int, texts ...string) {
	s.Helper()
	late := time.AfterFunc(30*time.Second, func() { _ = s.command.Process.Kill() })
	defer late.Stop()
	err := s.command.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		s.Fatal(err)
	}
	if got := s.command.ProcessState.ExitCode(); got != code {
		s.Errorf("it ended with %d, want %d:\n%s", got, code, s.shown())
	}
	s.until("", texts...)
}

// desk is a machine without a profile, with a server whose tools ask.
func newDesk(t *testing.T) *machine {
	m := newMachine(t)
	m.run("profile", "remove", "orders")
	if err := os.Symlink(m.program, filepath.Join(m.dir, "bin", "orders")); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDestructiveToolAtATerminal(t *testing.T) {
	m := newDesk(t)
	call := func(args ...string) *session {
		return m.sit(append(append([]string{"tools", "call", "wipe"}, args...), "--", "orders", "desk")...)
	}
	s := call("disk=c")
	s.until("y\n", `wipe is marked as destructive by its server. Call it with {"disk":"c"}? [y/N]`)
	s.exits(problem.ExitOK, "\nwiped\n")
	s = call()
	s.until("\n", "? [y/N]")
	s.exits(problem.ExitError, "mcpauth: nothing was called", "without the question: --yes")
	s = call("--yes")
	s.exits(problem.ExitOK, "wiped")
	if strings.Contains(s.shown(), "[y/N]") {
		t.Error("--yes asks")
	}
	s = call()
	s.until("\x03", "? [y/N]")
	s.exits(problem.ExitInterrupted)
}

func TestFormAtATerminal(t *testing.T) {
	m := newDesk(t)
	s := m.sit("tools", "call", "order", "--", "orders", "desk")
	s.until("\n", "The server asks: What is it to be?", "Enter leaves a field as it is, ! declines.", "day (Which day; string): ")
	s.until("monday\n", "it is required")
	s.until("no\n", "seats (integer from 1; default 2): ")
	s.until("\n", "it must be integer from 1")
	s.until("huge\n", "size (small, large): ")
	s.until("large\n", "it must be one of small, large")
	s.until("\n", "lunch (boolean): ")
	s.exits(problem.ExitOK, `"content":{"day":"monday","seats":2,"size":"large"}`)

	s = m.sit("tools", "call", "order", "--", "orders", "desk")
	s.until("!\n", "day (")
	s.exits(problem.ExitOK, `"action":"decline"`)

	s = m.sit("tools", "call", "order", "--", "orders", "desk")
	s.until("\x03", "day (")
	s.exits(problem.ExitInterrupted)
}

func TestPageAtATerminal(t *testing.T) {
	m := newDesk(t)
	s := m.sit("tools", "call", "pay", "--", "orders", "desk")
	s.until("\n", "The server asks: Pay here.", "  at 127.0.0.1:", "/pay\n", "Open it in your browser? [Y/n]")
	s.exits(problem.ExitOK, "\npaid\n")
	s = m.sit("tools", "call", "pay", "--", "orders", "desk")
	s.until("n\n", "[Y/n]")
	s.exits(problem.ExitToolFailed, "not paid")
}

// Progress stands on a line of its own. ctrl+c takes the call back before the server
// is ended.
func TestStoppedCallAtATerminal(t *testing.T) {
	m := newDesk(t)
	s := m.sit("tools", "call", "pack", "-v", "--", "orders", "desk")
	s.until("\x03", "\r\x1b[K[#####...............] 1 of 4 box 1")
	s.exits(problem.ExitInterrupted, "\r\x1b[Kthe call was taken back\n", "mcpauth: stopped")
}

// A watch goes on until ctrl+c, which is how it is meant to end.
func TestWatchAtATerminal(t *testing.T) {
	m := newDesk(t)
	s := m.sit("resources", "watch", "note://1", "--", "orders", "desk")
	s.until("\x03", "Watching; ctrl+c ends it", "  note://1\n")
	s.exits(problem.ExitOK)
	s = m.sit("resources", "watch", "note://1", "--json", "--", "orders", "desk")
	s.until("\x03", `{"event":"updated","schema":1,"time":"`, `"uri":"note://1"}`)
	s.exits(problem.ExitOK)
}
