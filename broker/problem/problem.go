// Package problem is an error for a user: what happened, why, what fixes it, and the
// exit code.
package problem

import (
	"context"
	"errors"
	"fmt"
)

// The exit codes of the command line. They are a contract with scripts: they
// may be added to, never changed (design, section 8). `mcpauth proxy` returns
// its child's code instead.
const (
	ExitOK           = 0   // done
	ExitError        = 1   // any other error
	ExitUsage        = 2   // wrong use: flags, arguments, a profile that is not there
	ExitUnreachable  = 3   // provider or server out of reach
	ExitSignInNeeded = 4   // no user is signed in, or no longer
	ExitDenied       = 5   // denied by policy
	ExitToolFailed   = 6   // the tool answered with an error
	ExitKeychain     = 7   // keychain missing, locked or silent
	ExitDoctor       = 8   // doctor found problems
	ExitInterrupted  = 130 // stopped by ctrl+c, as shells say it
)

// Problem is an error for a user. It holds no secret.
type Problem struct {
	Msg   string   // lower case: what happened and why
	Hints []string // the commands, or the sentences, that say how to fix it, one line each
	Code  int      // one of the Exit constants
	Err   error    // the cause; may be nil
}

// Error returns Msg. The cause is not repeated: Msg says it in better words.
func (p *Problem) Error() string { return p.Msg }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// Hinted is an error that knows its exit code and how to fix it.
type Hinted interface {
	error
	ExitCode() int
	Hints() []string
}

// Of returns the Problem in err's chain, or makes one of what the first [Hinted]
// error there says. A cancelled context is ExitInterrupted; any other error is one
// with ExitError and no hints.
func Of(err error) *Problem {
	var known *Problem
	if errors.As(err, &known) {
		return known
	}
	p := &Problem{Msg: err.Error(), Code: ExitError, Err: err}
	var hinted Hinted
	switch {
	case errors.As(err, &hinted):
		p.Code, p.Hints = hinted.ExitCode(), hinted.Hints()
	case errors.Is(err, context.Canceled):
		p.Code, p.Msg = ExitInterrupted, "stopped"
	}
	return p
}

// Unwritable says that a file cannot be changed, unless err is a Problem that says more.
func Unwritable(path string, err error) error {
	var known *Problem
	if errors.As(err, &known) {
		return err
	}
	return &Problem{Msg: fmt.Sprintf("cannot change %s: %v", path, err), Code: ExitError, Err: err}
}
