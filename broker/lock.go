package broker

import (
	"context"
	"errors"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/keychain"
)

// LogoutOptions are identity's.
type LogoutOptions = identity.LogoutOptions

// Lock cuts every running proxy off within a second, for all profiles, until
// Unlock. Errors are *Problem.
func (b *Broker) Lock() error {
	err := b.accounts.Lock()
	b.recordLock("locked", Resolved{}, User{}, err)
	return asError(err)
}

// Locked reports whether mcpauth is locked on this machine.
func (b *Broker) Locked() bool { return b.accounts.Locked() }

// Unlock undoes Lock after the person of a profile has proved anew who they
// are. Errors are *Problem.
func (b *Broker) Unlock(ctx context.Context, r Resolved, o LoginOptions) (User, error) {
	if r.Grant == grantMachine {
		return User{}, &Problem{
			Msg:   "profile " + r.Name + " is for a machine, and a person has to unlock",
			Hints: []string{"name another profile: mcpauth unlock --profile NAME"},
			Code:  ExitUsage,
		}
	}
	client, err := b.client(ctx, r)
	if err != nil {
		return User{}, AsProblem(err)
	}
	user, err := b.accounts.Unlock(ctx, client, o)
	b.recordLock("unlocked", r, user, err)
	if err != nil {
		return User{}, loginProblem(err, r, "mcpauth unlock --profile "+quoteWord(r.Name))
	}
	return user, nil
}

// SignOutAndUnlock signs every profile out, and then unlocks: with no sign-in
// left there is nothing to keep locked. It is the way for whoever cannot sign
// in any more. Errors are *Problem.
func (b *Broker) SignOutAndUnlock(ctx context.Context) error {
	config, err := b.Config()
	if err != nil {
		return err
	}
	for _, name := range config.ProfileNames() {
		r, err := config.Resolve(Overrides{Profile: name}, b.Env)
		if err != nil {
			return err
		}
		if _, err := b.Logout(ctx, r); err != nil {
			return err
		}
	}
	err = b.accounts.LiftLock()
	b.recordLock("unlocked, with every profile signed out", Resolved{}, User{}, err)
	return asError(err)
}

// LogoutWith is Logout with choices. Errors are *Problem.
func (b *Broker) LogoutWith(ctx context.Context, r Resolved, o LogoutOptions) (LogoutResult, error) {
	client, err := b.client(ctx, r)
	if err != nil && !errors.Is(err, keychain.ErrNotFound) {
		return LogoutResult{}, AsProblem(err)
	}
	result, err := b.accounts.LogoutWith(ctx, client, o)
	b.recordLogout(r, result.User)
	return result, asError(err)
}
