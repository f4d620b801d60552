package broker

import (
	"context"
	"errors"
	"strings"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
)

// Login signs a user in and remembers a profile that the configuration file
// does not have yet. remembered is its name then. Errors are *problem.Problem.
func (b *Broker) Login(ctx context.Context, r config.Resolved, o LoginOptions) (user User, remembered bool, err error) {
	return b.signInBy(ctx, r, o, b.accounts.Login)
}

// loginClient is the client of a sign-in. A keychain that cannot keep the tokens is
// an error before the browser opens.
func (b *Broker) loginClient(ctx context.Context, r config.Resolved) (identity.Client, error) {
	client, err := b.client(ctx, r)
	if err != nil {
		return client, err
	}
	if _, err := b.accounts.Status(ctx, client); err != nil && !loginFixes(err) {
		return client, err
	}
	if store, ok := b.Store.(keychain.Preparer); ok {
		return client, store.Prepare(ctx)
	}
	return client, nil
}

type signInWay func(context.Context, identity.Client, LoginOptions) (User, error)

func (b *Broker) signInBy(ctx context.Context, r config.Resolved, o LoginOptions, way signInWay) (user User, remembered bool, err error) {
	client, err := b.loginClient(ctx, r)
	if err != nil {
		return User{}, false, problem.Of(err)
	}
	user, err = way(ctx, client, o)
	if issuer := otherSlash(err); issuer != "" && r.Origin["issuer"] != config.OriginProfile {
		r.Issuer, client.Issuer = issuer, issuer
		user, err = way(ctx, client, o)
	}
	b.recordLogin(r, user, err)
	if err != nil {
		return User{}, false, r.LoginProblem(err, r.LoginCommand())
	}
	if r.Remembered {
		return user, false, nil
	}
	if err := b.remember(ctx, r); err != nil {
		return user, false, problem.Of(err)
	}
	return user, true, nil
}

// otherSlash is the issuer that a provider gives itself where the one that the user
// typed differs from it by the slash at its end alone, else "".
func otherSlash(err error) string {
	var mismatch *identity.IssuerMismatchError
	if errors.As(err, &mismatch) && strings.TrimSuffix(mismatch.Works, "/") == strings.TrimSuffix(mismatch.Want, "/") {
		return mismatch.Works
	}
	return ""
}

// loginFixes reports whether what is wrong with the stored sign-in goes away by
// a new one.
func loginFixes(err error) bool {
	var failure *keychain.Error
	return !errors.As(err, &failure) || failure.Kind == keychain.Corrupt
}

// remember writes a profile that came from flags or the environment to the
// file, because an AI client starts the proxy without either.
func (b *Broker) remember(ctx context.Context, r config.Resolved) error {
	profile := r.Explicit()
	if !r.Secret.IsZero() {
		if err := b.accounts.SetClientSecret(ctx, r.Name, r.Secret); err != nil {
			return err
		}
		profile.ClientSecret = config.SecretRef + r.Name
	}
	return b.addProfile(ctx, r.Name, profile)
}

// Logout revokes the tokens at the provider and deletes them here. They are deleted
// in any case; the result says how the provider answered. Errors are *problem.Problem.
func (b *Broker) Logout(ctx context.Context, r config.Resolved, o LogoutOptions) (LogoutResult, error) {
	client, err := b.client(ctx, r)
	if err != nil && !errors.Is(err, keychain.ErrNotFound) {
		return LogoutResult{}, problem.Of(err)
	}
	result, err := b.accounts.Logout(ctx, client, o)
	b.recordLogout(r, result.User)
	return result, asError(err)
}
