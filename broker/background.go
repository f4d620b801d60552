package broker

import (
	"context"
	"encoding/json"
	"errors"
)

// Outcome is how a sign-in in the background ended.
type Outcome struct {
	Code       int      `json:"exit_code"`
	Message    string   `json:"message,omitempty"`
	Hints      []string `json:"hints,omitempty"`
	Remembered bool     `json:"remembered"` // the profile is new in the configuration file
}

// Problem is the outcome as an error, or nil.
func (o Outcome) Problem() error {
	if o.Code == ExitOK {
		return nil
	}
	return &Problem{Msg: o.Message, Hints: o.Hints, Code: o.Code}
}

// errUnderWay means that a sign-in of the same profile goes on already.
var errUnderWay = errors.New("a sign-in of this profile goes on in the background")

// LoginInBackground is Login in a process of its own, whose outcome AwaitLogin
// gives to another. Errors are *Problem and part of the outcome, but for that of
// a profile that is being signed in already.
func (b *Broker) LoginInBackground(ctx context.Context, r Resolved, o LoginOptions) error {
	killed := Outcome{Code: ExitError, Message: "the sign-in in the background was ended from outside", Hints: []string{r.LoginCommand()}}
	end, ok, err := b.accounts.BeginBackground(r.client(), killed.encode())
	switch {
	case err != nil:
		return AsProblem(err)
	case !ok:
		return &Problem{Msg: errUnderWay.Error(), Hints: []string{"wait for it: " + r.LoginCommand("--wait")}, Code: ExitError, Err: errUnderWay}
	}
	_, remembered, err := b.Login(ctx, r, o)
	outcome := Outcome{Remembered: remembered}
	if err != nil {
		problem := AsProblem(err)
		outcome = Outcome{Code: problem.Code, Message: problem.Msg, Hints: problem.Hints}
	}
	return asError(errors.Join(err, end(outcome.encode())))
}

func (o Outcome) encode() []byte {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // texts and numbers always have a form
	}
	return text
}

// AwaitLogin waits for the end of a sign-in in the background and tells how it
// ended, once. there is false when none was begun. Errors are *Problem.
func (b *Broker) AwaitLogin(ctx context.Context, r Resolved) (outcome Outcome, there bool, err error) {
	report, err := b.accounts.AwaitBackground(ctx, r.client())
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Outcome{}, false, &Problem{Msg: "the sign-in still goes on", Hints: []string{r.LoginCommand("--wait", "--timeout 10m")}, Code: ExitSignInNeeded, Err: err}
	case err != nil:
		return Outcome{}, false, AsProblem(err)
	case report == nil:
		return Outcome{}, false, nil
	}
	if err := json.Unmarshal(report, &outcome); err != nil {
		return Outcome{}, false, &Problem{Msg: "the outcome of the sign-in cannot be read", Hints: []string{r.LoginCommand()}, Code: ExitError, Err: err}
	}
	return outcome, true, nil
}
