package backend

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"

	"github.com/mcpauth/mcpauth/broker/text"
)

// Kind says why a command could not be started, as far as a caller may want to
// decide on it: 127 is the customary exit code of NotFound, 126 of NotExecutable.
type Kind int

// The kinds of [StartError].
const (
	Other         Kind = iota
	NotFound           // no such program
	NotExecutable      // there, but not a program that this user can run
	BadDir             // the working directory is missing or no directory
)

// StartError says why a command could not be started.
type StartError struct {
	Argv0 string // as given
	Kind  Kind
	Err   error // the cause, in words for the user
}

func (e *StartError) Error() string { return fmt.Sprintf("start %s: %v", shown(e.Argv0), e.Err) }

func (e *StartError) Unwrap() error { return e.Err }

// ExitCode is a shell's for a command that cannot be started; `proxy` returns it as
// its child's.
func (e *StartError) ExitCode() int {
	switch e.Kind {
	case NotFound:
		return 127
	case NotExecutable:
		return 126
	}
	return 1
}

// Hints say how to fix it.
func (e *StartError) Hints() []string {
	switch e.Kind {
	case NotFound:
		return []string{"give the command with its full path: GUI programs have a short PATH"}
	case NotExecutable:
		return []string{"make it executable, or name the interpreter: mcpauth proxy -- python3 main.py"}
	case BadDir:
		return []string{"give a folder that exists: --cwd DIR, or cwd in the profile"}
	}
	return []string{"start the command by hand to see what it says"}
}

var errRunning = errors.New("still running")

func startError(c Command, kind Kind, err error) *StartError {
	argv0 := ""
	if len(c.Argv) > 0 {
		argv0 = c.Argv[0]
	}
	return &StartError{Argv0: argv0, Kind: kind, Err: err}
}

// shown is s for a message, quoted where bare text could mislead.
func shown(s string) string {
	if s == "" || strings.ContainsFunc(s, unicode.IsSpace) || text.CheckPrintable(s) != nil {
		return fmt.Sprintf("%+q", s)
	}
	return s
}

// resolve finds the program, or says why there is none, before any process is
// started: the errors of a failed exec do not tell a missing directory from a
// missing program or a missing interpreter.
func resolve(c Command) (string, error) {
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		return "", startError(c, NotFound, errors.New("no command given"))
	}
	if c.Dir != "" {
		switch info, err := os.Stat(c.Dir); {
		case err != nil:
			return "", startError(c, BadDir, fmt.Errorf("working directory: %w", err))
		case !info.IsDir():
			return "", startError(c, BadDir, fmt.Errorf("working directory %s is not a directory", shown(c.Dir)))
		}
	}
	return lookUp(c)
}
