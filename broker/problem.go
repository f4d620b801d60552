package broker

// The exit codes of the command line. They are a contract with scripts: they
// may be added to, never changed (design, section 7). `mcpauth proxy` returns
// its child's code instead.
const (
	ExitOK           = 0   // done
	ExitError        = 1   // any other error
	ExitUsage        = 2   // wrong use: flags, arguments, a profile that is not there
	ExitUnreachable  = 3   // provider or server out of reach
	ExitSignInNeeded = 4   // nobody is signed in, or no longer
	ExitDenied       = 5   // denied by policy
	ExitToolFailed   = 6   // the tool answered with an error
	ExitKeychain     = 7   // keychain missing, locked or silent
	ExitDoctor       = 8   // doctor found problems
	ExitInterrupted  = 130 // stopped by ctrl+c, as shells say it
)

// Problem is an error for a person: what happened, what mends it, and the exit
// code. It holds no secret.
type Problem struct {
	Msg   string   // lower case: what happened and why
	Hints []string // the commands, or the words, that mend it, one line each
	Code  int      // one of the Exit constants
	Err   error    // the cause; may be nil
}

// Error returns Msg. The cause is not repeated: Msg says it in better words.
func (p *Problem) Error() string { return p.Msg }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }
