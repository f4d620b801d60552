// Package broker brings the parts together: who is signed in, what the policy
// says, what goes to the server and what is logged. The command line and the TUI
// are built on a [Broker].
package broker

import (
	"context"
	"errors"

	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/gate"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/identity/address"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
)

// These types of identity are part of the broker's own face.
type (
	LogoutOptions = identity.LogoutOptions
	User          = identity.User
	LoginUI       = identity.UI
	LoginOptions  = identity.LoginOptions
	DeviceCode    = identity.DeviceCode
	SignInStatus  = identity.Status
	SignInState   = identity.State
	LogoutResult  = identity.LogoutResult
)

// The states of a sign-in.
const (
	Loading   = identity.Loading   // the keychain has not answered yet
	SignedIn  = identity.SignedIn  // a user, and the access token is good
	SignedOut = identity.SignedOut // no user, or the sign-in is over or locked; Err says why, or is nil
	Degraded  = identity.Degraded  // a user whose access token has to be renewed, or the keychain is out of reach
)

// The members that carry the user to the server.
const (
	MetaKey      = gate.MetaKey
	UserArgument = gate.UserArgument
)

// IsLocked reports whether a status or an error says that mcpauth is locked on
// this machine, so that Lock.Lift is the fix.
func IsLocked(err error) bool { return errors.As(err, new(*identity.LockedError)) }

// ValidateAuthorizeURL returns the address in the only form that may be handed
// to a browser, or says why it may not.
func ValidateAuthorizeURL(raw string) (string, error) {
	return address.ForBrowser(raw)
}

// Options are what a broker needs from outside. All but Dir are required.
type Options struct {
	Paths config.Paths
	Store keychain.Store
	// Env looks up environment variables, as os.Getenv does.
	Env func(string) string
	// Dir is the working directory, where AI clients look for a project's file.
	// Empty means that there is none.
	Dir string
}

// Broker is safe for concurrent use.
type Broker struct {
	Options
	accounts *identity.Accounts
}

// IsExpired reports whether all that is wrong is an access token that has run out
// and is renewed at its next use.
func IsExpired(err error) bool { return errors.Is(err, identity.ErrExpired) }

// New returns a broker. It touches neither files nor the keychain.
func New(o Options) *Broker {
	return &Broker{
		Options:  o,
		accounts: identity.New(identity.Options{Store: o.Store, StateDir: o.Paths.StateDir}),
	}
}

// Clients manages the configuration files of the AI clients on this machine.
func (b *Broker) Clients() *clients.Manager {
	return &clients.Manager{Home: config.Home, Getenv: b.Env, StateDir: b.Paths.StateDir, Project: b.Dir}
}

// Config reads the configuration file. Errors are *problem.Problem.
func (b *Broker) Config() (config.File, error) { return config.Load(b.Paths.ConfigFile) }

// Resolve puts together the profile that is meant: by flag, by environment, or
// the default one. Errors are *problem.Problem.
func (b *Broker) Resolve(o config.Overrides) (config.Resolved, error) {
	file, err := b.Config()
	if err != nil {
		return config.Resolved{}, err
	}
	return file.Resolve(o, b.Env)
}

// client is a profile as identity takes it. It asks the keychain
// only for a client secret, and reads one that is in a file.
func (b *Broker) client(ctx context.Context, r config.Resolved) (identity.Client, error) {
	client := r.Client()
	switch {
	case r.ClientSecretFile != "":
		client.SecretAgain = func(context.Context) (keychain.Secret, error) { return config.ReadSecretFile(r.ClientSecretFile) }
	case r.Secret.IsZero() && r.SecretName() != "":
		client.SecretAgain = func(ctx context.Context) (keychain.Secret, error) { return b.keptSecret(ctx, r) }
	default:
		return client, nil
	}
	var err error
	client.ClientSecret, err = client.SecretAgain(ctx)
	return client, err
}

// keptSecret is the client secret that the keychain has for a profile.
func (b *Broker) keptSecret(ctx context.Context, r config.Resolved) (keychain.Secret, error) {
	secret, err := b.accounts.ClientSecret(ctx, r.SecretName())
	if errors.Is(err, keychain.ErrNotFound) {
		return secret, &problem.Problem{
			Msg:   "the keychain has no client secret " + r.SecretName() + ", which profile " + r.Name + " names",
			Hints: []string{"mcpauth profile secret " + r.Name},
			Code:  problem.ExitKeychain,
			Err:   err,
		}
	}
	return secret, err
}

// Status is the sign-in of a profile; the provider is not asked. The error is a
// *problem.Problem of the keychain.
func (b *Broker) Status(ctx context.Context, r config.Resolved) (SignInStatus, error) {
	status, err := b.accounts.Status(ctx, r.Client())
	return status, asError(err)
}

// Watch follows the sign-in of a profile until ctx ends, for a program that
// shows it: Status first, and again within a second whenever it has become
// otherwise, by a login, refresh, logout, lock or unlock of any process, or by
// time alone. It asks no provider and renews nothing. The channel holds the newest
// status only, so a slow reader misses nothing but what is over; it is closed
// after ctx has ended. As long as the keychain lets it wait, the state is Loading.
// An error of the keychain is the Err of a status.
func (b *Broker) Watch(ctx context.Context, r config.Resolved) <-chan SignInStatus {
	return b.accounts.Watch(ctx, r.Client())
}

// asError is AsProblem for an error that may be nil.
func asError(err error) error {
	if err == nil {
		return nil
	}
	return problem.Of(err)
}
