package broker

import (
	"context"
	"errors"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/keychain"
)

// Draft puts a profile together that is not in the file yet, with the name that it
// would get: name, or one after the issuer's host. An issuer alone is enough. The
// error is a *Problem.
func (b *Broker) Draft(name string, p Profile) (Resolved, error) {
	config, err := b.Config()
	if err != nil {
		return Resolved{}, err
	}
	if p.ClientID == "" {
		p.ClientID = "not-known-yet"
	}
	if field, err := p.check(); err != nil {
		return Resolved{}, &Problem{Msg: field + " " + err.Error(), Code: ExitUsage, Err: err}
	}
	if name == "" {
		name = config.nameFor(p.Issuer, p.ClientID)
	}
	draft := Config{Profiles: map[string]Profile{name: p}, Defaults: config.Defaults, path: config.path}
	r, err := draft.Resolve(Overrides{Profile: name}, nil)
	r.Remembered = config.takenName(name)
	return r, err
}

// CheckIssuer asks the provider whether it is the one that an issuer names. Errors
// are *Problem.
func (b *Broker) CheckIssuer(ctx context.Context, r Resolved) error {
	if _, err := b.accounts.Inspect(ctx, r.client()); err != nil {
		return loginProblem(err, r, r.LoginCommand())
	}
	return nil
}

// CanKeep says whether the store of tokens can be reached: nobody should answer ten
// questions to hear at the end that there is no keychain. The error is a *Problem.
func (b *Broker) CanKeep(ctx context.Context) error {
	if _, err := b.Store.Get(ctx, "init-probe"); err != nil && !errors.Is(err, keychain.ErrNotFound) {
		return AsProblem(err)
	}
	return nil
}

// FindProgram finds the program of a command as a proxy with this environment would.
// The error is a *Problem.
func (b *Broker) FindProgram(command, environ []string, dir string) (string, error) {
	path, err := backend.LookUp(backend.Command{Argv: command, Dir: dir, Env: backend.Environ(environ, nil)})
	return path, asError(err)
}
