// Package broker brings the parts together: who is signed in, what the policy
// says, what goes to the server and what is recorded. The command line and the
// TUI are two faces of a [Broker].
package broker

import (
	"cmp"
	"context"
	"errors"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/keychain"
)

// These types of identity are part of the broker's own face.
type (
	User         = identity.User
	LoginUI      = identity.UI
	LoginOptions = identity.LoginOptions
	DeviceCode   = identity.DeviceCode
	TraceEvent   = identity.TraceEvent
	SignInStatus = identity.Status
	SignInState  = identity.State
	LogoutResult = identity.LogoutResult
)

// The states of a sign-in.
const (
	Loading   = identity.Loading   // the keychain has not answered yet
	SignedIn  = identity.SignedIn  // a user, and the access token is good
	SignedOut = identity.SignedOut // nobody, or the sign-in is over or locked; Err says why, or is nil
	Troubled  = identity.Troubled  // somebody whose access token has to be renewed, or the keychain is out of reach
)

// IsLocked reports whether a status or an error says that mcpauth is locked on
// this machine, so that Unlock is what mends it.
func IsLocked(err error) bool { return errors.As(err, new(*identity.LockedError)) }

// ValidateAuthorizeURL returns the address in the only form that may be handed
// to a browser, or says why it may not.
func ValidateAuthorizeURL(address string) (string, error) {
	return identity.ValidateAuthorizeURL(address)
}

// Options are what a broker needs from outside. All but Dir are required.
type Options struct {
	Paths Paths
	Store keychain.Store
	// Env looks up environment variables, as os.Getenv does.
	Env func(string) string
	// Dir is the working directory, whose binding is the default profile. Empty
	// means that no binding counts.
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

// Config reads the configuration file. Errors are *Problem.
func (b *Broker) Config() (Config, error) { return LoadConfig(b.Paths.ConfigFile) }

// Resolve puts together the profile that is meant: by flag, by environment, by
// the binding of the folder (o.Cwd, or else the working directory), or the
// default one. Errors are *Problem.
func (b *Broker) Resolve(o Overrides) (Resolved, error) {
	config, err := b.Config()
	if err != nil {
		return Resolved{}, err
	}
	if o.bound, err = b.boundAt(cmp.Or(o.Cwd, b.Dir)); err != nil {
		return Resolved{}, err
	}
	return config.Resolve(o, b.Env)
}

// client makes of a profile what identity wants to know. It asks the keychain
// only for a client secret, and reads one that is in a file.
func (b *Broker) client(ctx context.Context, r Resolved) (identity.Client, error) {
	client := r.client()
	switch {
	case r.ClientSecretFile != "":
		client.SecretAgain = func(context.Context) (keychain.Secret, error) { return readSecretFile(r.ClientSecretFile) }
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
func (b *Broker) keptSecret(ctx context.Context, r Resolved) (keychain.Secret, error) {
	secret, err := b.accounts.ClientSecret(ctx, r.SecretName())
	if errors.Is(err, keychain.ErrNotFound) {
		return secret, &Problem{
			Msg:   "the keychain has no client secret " + r.SecretName() + ", which profile " + r.Name + " names",
			Hints: []string{"mcpauth profile secret " + r.Name},
			Code:  ExitKeychain,
			Err:   err,
		}
	}
	return secret, err
}

// Login signs a person in and remembers a profile that the configuration file
// does not have yet. remembered is its name then. Errors are *Problem.
func (b *Broker) Login(ctx context.Context, r Resolved, o LoginOptions) (user User, remembered bool, err error) {
	client, err := b.client(ctx, r)
	if err != nil {
		return User{}, false, AsProblem(err)
	}
	// A keychain that cannot keep the tokens is told of before the browser opens.
	if _, err := b.accounts.Status(ctx, client); err != nil && !loginMends(err) {
		return User{}, false, AsProblem(err)
	}
	if store, ok := b.Store.(keychain.Preparer); ok {
		if err := store.Prepare(ctx); err != nil {
			return User{}, false, AsProblem(err)
		}
	}
	user, err = b.accounts.Login(ctx, client, o)
	b.recordLogin(r, user, err)
	if err != nil {
		return User{}, false, loginProblem(err, r, r.LoginCommand())
	}
	if r.Remembered {
		return user, false, nil
	}
	if err := b.remember(ctx, r); err != nil {
		return user, false, AsProblem(err)
	}
	return user, true, nil
}

// loginMends reports whether what is wrong with the stored sign-in goes away by
// a new one.
func loginMends(err error) bool {
	var failure *keychain.Error
	return !errors.As(err, &failure) || failure.Kind == keychain.Corrupt
}

// remember writes a profile that came from flags or the environment to the
// file, because an AI client starts the proxy without either.
func (b *Broker) remember(ctx context.Context, r Resolved) error {
	profile := r.Explicit()
	if !r.Secret.IsZero() {
		if err := b.accounts.SetClientSecret(ctx, r.Name, r.Secret); err != nil {
			return err
		}
		profile.ClientSecret = secretRef + r.Name
	}
	return b.addProfile(ctx, r.Name, profile)
}

// addProfile adds a profile to the file. What was the only one until now stays
// what is meant when none is named: AI clients are set up for it.
func (b *Broker) addProfile(ctx context.Context, name string, p Profile) error {
	config, err := b.Config()
	if err != nil {
		return err
	}
	if err := AddProfile(ctx, b.Paths.ConfigFile, name, p); err != nil {
		return err
	}
	if config.DefaultProfile == "" && len(config.Profiles) == 1 {
		return SetDefault(ctx, b.Paths.ConfigFile, config.ProfileNames()[0])
	}
	return nil
}

// Logout revokes the tokens at the provider and deletes them here. They are
// deleted in any case; the result says what the provider was told. Errors are
// *Problem.
func (b *Broker) Logout(ctx context.Context, r Resolved) (LogoutResult, error) {
	return b.LogoutWith(ctx, r, LogoutOptions{})
}

// Status tells of a profile without asking the provider. The error is a
// *Problem of the keychain.
func (b *Broker) Status(ctx context.Context, r Resolved) (SignInStatus, error) {
	status, err := b.accounts.Status(ctx, r.client())
	return status, asError(err)
}

// WatchSignIn follows the sign-in of a profile until ctx ends, for a program that
// shows it: Status first, and again within a second whenever it has become
// otherwise, by a login, refresh, logout, lock or unlock of any process, or by
// time alone. It asks no provider and renews nothing. The channel holds the newest
// status only, so a slow reader misses nothing but what is over; it is closed
// after ctx has ended. As long as the keychain lets it wait, the state is Loading.
// Trouble with the keychain is the Err of a status; AsProblem has its cure.
func (b *Broker) WatchSignIn(ctx context.Context, r Resolved) <-chan SignInStatus {
	return b.accounts.Watch(ctx, r.client())
}

// AddProfile writes a profile to the configuration file, and its client secret
// to the keychain if there is one. Nothing is kept if either fails. Errors are
// *Problem.
func (b *Broker) AddProfile(ctx context.Context, name string, p Profile, secret keychain.Secret) error {
	if secret.IsZero() {
		return asError(b.addProfile(ctx, name, p))
	}
	p.ClientSecret = secretRef + name
	if err := b.addProfile(ctx, name, p); err != nil {
		return AsProblem(err)
	}
	if err := b.accounts.SetClientSecret(ctx, name, secret); err != nil {
		return AsProblem(errors.Join(err, RemoveProfile(ctx, b.Paths.ConfigFile, name)))
	}
	return nil
}

// SetClientSecret keeps the client secret of a profile in the keychain, under
// the name that the profile calls it by. Errors are *Problem.
func (b *Broker) SetClientSecret(ctx context.Context, r Resolved, secret keychain.Secret) error {
	if r.SecretName() == "" {
		return &Problem{
			Msg:   "profile " + r.Name + " names no client secret",
			Hints: []string{`put client_secret = "keychain:` + r.Name + `" under [profiles.` + r.Name + "] in " + b.Paths.ConfigFile},
			Code:  ExitUsage,
		}
	}
	return asError(b.accounts.SetClientSecret(ctx, r.SecretName(), secret))
}

// RemoveProfile signs the profile out, forgets its client secret and takes it
// out of the configuration file. Errors are *Problem.
func (b *Broker) RemoveProfile(ctx context.Context, name string) (LogoutResult, error) {
	config, err := b.Config()
	if err != nil {
		return LogoutResult{}, err
	}
	if _, ok := config.Profiles[name]; !ok {
		return LogoutResult{}, unknownProfile(name, config.ProfileNames())
	}
	var result LogoutResult
	// The environment may name another issuer or client: it is the profile's own
	// sign-in that goes with the profile.
	if r, err := config.Resolve(Overrides{Profile: name}, nil); err == nil {
		if result, err = b.Logout(ctx, r); err != nil {
			return result, err
		}
	}
	if ref := config.Profiles[name].SecretName(); ref != "" && !config.secretShared(name, ref) {
		if err := b.accounts.DeleteClientSecret(ctx, ref); err != nil {
			return result, AsProblem(err)
		}
	}
	return result, asError(RemoveProfile(ctx, b.Paths.ConfigFile, name))
}

// secretShared reports whether another profile names the same client secret.
func (c Config) secretShared(name, ref string) bool {
	for other, p := range c.Profiles {
		if other != name && p.SecretName() == ref {
			return true
		}
	}
	return false
}

// UseProfile makes a profile the default one. Errors are *Problem.
func (b *Broker) UseProfile(ctx context.Context, name string) error {
	return asError(SetDefault(ctx, b.Paths.ConfigFile, name))
}

// asError is AsProblem for an error that may be nil.
func asError(err error) error {
	if err == nil {
		return nil
	}
	return AsProblem(err)
}
