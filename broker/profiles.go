package broker

import (
	"context"
	"errors"

	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
)

// Profiles are those of the configuration file, with what the keychain holds of them.
// Errors of its methods are *problem.Problem.
type Profiles struct{ b *Broker }

// Profiles returns the profiles, to change them.
func (b *Broker) Profiles() Profiles { return Profiles{b} }

// Add writes a profile to the configuration file, and its client secret to the
// keychain if there is one. Nothing is kept if either fails.
func (p Profiles) Add(ctx context.Context, name string, profile config.Profile, secret keychain.Secret) error {
	if secret.IsZero() {
		return asError(p.b.addProfile(ctx, name, profile))
	}
	profile.ClientSecret = config.SecretRef + name
	if err := p.b.addProfile(ctx, name, profile); err != nil {
		return problem.Of(err)
	}
	if err := p.b.accounts.SetClientSecret(ctx, name, secret); err != nil {
		return problem.Of(errors.Join(err, config.RemoveProfile(ctx, p.b.Paths.ConfigFile, name)))
	}
	return nil
}

// SetSecret keeps the client secret of a profile in the keychain, under the name that
// the profile gives it.
func (p Profiles) SetSecret(ctx context.Context, r config.Resolved, secret keychain.Secret) error {
	if r.SecretName() == "" {
		return &problem.Problem{
			Msg:   "profile " + r.Name + " names no client secret",
			Hints: []string{`put client_secret = "keychain:` + r.Name + `" under [profiles.` + r.Name + "] in " + p.b.Paths.ConfigFile},
			Code:  problem.ExitUsage,
		}
	}
	return asError(p.b.accounts.SetClientSecret(ctx, r.SecretName(), secret))
}

// Uses are the entries of AI clients that run mcpauth for a profile, as far as they can
// be read.
func (p Profiles) Uses(name string) []clients.Use {
	usual, _ := p.b.Resolve(config.Overrides{}) // none where it cannot be told
	uses, _ := p.b.Clients().Uses(name, usual.Name == name)
	return uses
}

// Remove signs the profile out, deletes its client secret and removes it from the
// configuration file.
func (p Profiles) Remove(ctx context.Context, name string) (LogoutResult, error) {
	file, err := p.b.Config()
	if err != nil {
		return LogoutResult{}, err
	}
	if _, ok := file.Profiles[name]; !ok {
		return LogoutResult{}, config.UnknownProfile(name, file.ProfileNames())
	}
	var result LogoutResult
	// The environment may name another issuer or client: it is the profile's own
	// sign-in that goes with the profile.
	if r, err := file.Resolve(config.Overrides{Profile: name}, nil); err == nil {
		if result, err = p.b.Logout(ctx, r, LogoutOptions{}); err != nil {
			return result, err
		}
	}
	if ref := file.Profiles[name].SecretName(); ref != "" && !file.SecretShared(name, ref) {
		if err := p.b.accounts.DeleteClientSecret(ctx, ref); err != nil {
			return result, problem.Of(err)
		}
	}
	return result, asError(config.RemoveProfile(ctx, p.b.Paths.ConfigFile, name))
}

// SetDefault makes a profile the default one.
func (p Profiles) SetDefault(ctx context.Context, name string) error {
	return asError(config.SetDefault(ctx, p.b.Paths.ConfigFile, name))
}

// CheckIssuer asks the provider whether it is the one that the issuer of a profile
// names, and returns the issuer with or without a slash at its end, as the provider has it.
func (p Profiles) CheckIssuer(ctx context.Context, r config.Resolved) (string, error) {
	_, err := p.b.accounts.Inspect(ctx, r.Client())
	if issuer := otherSlash(err); issuer != "" {
		r.Issuer = issuer
		_, err = p.b.accounts.Inspect(ctx, r.Client())
	}
	if err != nil {
		return "", r.LoginProblem(err, r.LoginCommand())
	}
	return r.Issuer, nil
}

// addProfile adds a profile to the file. What was the only one until now stays
// what is meant when none is named: AI clients are set up for it.
func (b *Broker) addProfile(ctx context.Context, name string, p config.Profile) error {
	file, err := b.Config()
	if err != nil {
		return err
	}
	if err := config.AddProfile(ctx, b.Paths.ConfigFile, name, p); err != nil {
		return err
	}
	if file.DefaultProfile == "" && len(file.Profiles) == 1 {
		return config.SetDefault(ctx, b.Paths.ConfigFile, file.ProfileNames()[0])
	}
	return nil
}
