package broker

import (
	"context"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// Lock is the lock that cuts every running proxy off, for all profiles of this
// machine. Errors of its methods are *problem.Problem.
type Lock struct{ b *Broker }

// Lock returns the lock of this machine.
func (b *Broker) Lock() Lock { return Lock{b} }

// Set cuts the proxies off, within a second.
func (l Lock) Set() error {
	err := l.b.accounts.Lock()
	l.b.recordLock("locked", config.Resolved{}, User{}, err)
	return asError(err)
}

// IsSet reports whether mcpauth is locked on this machine.
func (l Lock) IsSet() bool { return l.b.accounts.Locked() }

// Lift unlocks after the user of a profile has signed in again at the provider.
func (l Lock) Lift(ctx context.Context, r config.Resolved, o LoginOptions) (User, error) {
	if r.Grant == config.GrantMachine {
		return User{}, &problem.Problem{
			Msg:   "profile " + r.Name + " is for a machine, and a person has to unlock",
			Hints: []string{"name another profile: mcpauth unlock --profile NAME"},
			Code:  problem.ExitUsage,
		}
	}
	client, err := l.b.client(ctx, r)
	if err != nil {
		return User{}, problem.Of(err)
	}
	user, err := l.b.accounts.Unlock(ctx, client, o)
	l.b.recordLock("unlocked", r, user, err)
	if err != nil {
		return User{}, r.LoginProblem(err, "mcpauth unlock --profile "+text.QuoteWord(r.Name))
	}
	return user, nil
}

// LiftSignedOut signs every profile out, and then unlocks: with no sign-in left there
// is nothing to keep locked. It is for a user who cannot sign in any more.
func (l Lock) LiftSignedOut(ctx context.Context) error {
	file, err := l.b.Config()
	if err != nil {
		return err
	}
	for _, name := range file.ProfileNames() {
		r, err := file.Resolve(config.Overrides{Profile: name}, l.b.Env)
		if err != nil {
			return err
		}
		if _, err := l.b.Logout(ctx, r, LogoutOptions{}); err != nil {
			return err
		}
	}
	err = l.b.accounts.LiftLock()
	l.b.recordLock("unlocked, with every profile signed out", config.Resolved{}, User{}, err)
	return asError(err)
}
