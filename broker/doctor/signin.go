package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/keychain"
)

// checkStore stores something and reads it back: a keychain may be readable and
// not writable, and some say yes and do nothing. An age file is only read, because
// a first write would make it.
func (e *examination) checkStore(ctx context.Context) []Finding {
	if e.configErr != nil {
		return nil // it names the store
	}
	store, key := e.Store, fmt.Sprintf("doctor-probe-%d", os.Getpid())
	kind, origin := e.config.StoreName()
	var err error
	if kind == config.StoreAge {
		_, err = store.Get(ctx, key)
	} else {
		err = probe(ctx, store, key)
	}
	if err != nil && !errors.Is(err, keychain.ErrNotFound) {
		f := foundError(storeCode(err), err)
		f.Hints = slices.DeleteFunc(f.Hints, func(hint string) bool { // only what fits here
			return hint == keychain.HintAgeLater && len(e.config.Profiles) == 0 || hint == keychain.HintAgeAtFirst && len(e.config.Profiles) > 0
		})
		return []Finding{f}
	}
	why := "the default"
	if origin != config.OriginDefault {
		why = "chosen by store in the configuration"
	}
	return one("MA210", fmt.Sprintf("%s can be used (%s)", store.Name(), why))
}

func probe(ctx context.Context, store keychain.Store, key string) error {
	const text = "nothing secret"
	defer func() { // whatever happens, and after ctrl+c, too
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkGrace)
		defer cancel()
		_ = store.Delete(ctx, key) // a leftover holds nothing
	}()
	if err := store.Set(ctx, key, keychain.NewSecret(text)); err != nil {
		return err
	}
	kept, err := store.Get(ctx, key)
	if errors.Is(err, keychain.ErrNotFound) || err == nil && kept != keychain.NewSecret(text) {
		return &keychain.Error{Op: "get", Kind: keychain.NotKept}
	}
	return err
}

func (e *examination) checkProvider(ctx context.Context) []Finding {
	i, err := e.Accounts.Inspect(ctx, e.resolved.Client())
	var list []Finding
	if err != nil {
		problem := e.resolved.LoginProblem(err, e.resolved.LoginCommand())
		code := providerCode(err)
		list = []Finding{found(code, kindOf(code).Title, problem.Msg, append(tlsHints(err), problem.Hints...)...)}
	} else {
		list = one("MA310", fmt.Sprintf("%s answers as the profile says (%d ms)", e.resolved.Issuer, i.Took.Milliseconds()))
		if !i.ListsS256 {
			list = append(list, one("MA314", "the provider does not list PKCE with S256")...)
		}
	}
	return append(list, clock(i))
}

// tlsHints know why a certificate is refused.
func tlsHints(err error) []string {
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return []string{"check this machine's clock: the certificate is not valid at the time that it shows"}
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return []string{"if your organization inspects TLS, add its certificate to the ones that this machine trusts"}
	}
	return nil
}

func clock(i identity.Inspection) Finding {
	ahead := i.ClockAhead.Round(time.Second)
	switch {
	case !i.ClockKnown:
		return found("MA322", "this machine's clock could not be compared with the provider's", "")
	case ahead.Abs() <= identity.ClockLeeway:
		return found("MA320", "this machine's clock is right", "")
	case ahead > 0:
		return found("MA321", fmt.Sprintf("this machine's clock is %s behind the provider's", ahead), "")
	}
	return found("MA321", fmt.Sprintf("this machine's clock is %s ahead of the provider's", -ahead), "")
}

func (e *examination) checkRedirects(context.Context) []Finding {
	if e.resolved.Grant == config.GrantMachine {
		return nil
	}
	states, err := identity.Redirects(e.resolved.Client())
	if err != nil {
		return []Finding{foundError("MA333", err)}
	}
	var uris, busy []string
	for _, s := range states {
		uris = append(uris, s.URI)
		if !s.Free {
			busy = append(busy, s.Addr)
		}
	}
	register := "register at the provider: " + strings.Join(uris, " ")
	switch len(busy) {
	case 0:
		return one("MA330", register)
	case len(states):
		return []Finding{found("MA331", "no port for the redirect URI is free: "+strings.Join(busy, ", "), "")}
	}
	return []Finding{found("MA332", "in use: "+strings.Join(busy, ", ")+"; a sign-in takes the next one", "", register)}
}

func (e *examination) checkSecret(ctx context.Context) []Finding {
	client, err := e.Client(ctx, e.resolved)
	if err != nil {
		if errors.As(err, new(*keychain.Error)) {
			return nil // said by the check of the store
		}
		return []Finding{foundError("MA341", err)}
	}
	// Google gives each desktop application a secret and asks for it.
	provider, _ := config.ProviderNamed(e.resolved.Provider)
	if client.ClientSecret.IsZero() || client.Machine || provider.WantsSecret {
		return nil
	}
	return one("MA342", "the application has a client secret; a native one with PKCE needs none")
}

func (e *examination) checkSignIn(ctx context.Context) []Finding {
	status, err := e.Accounts.Status(ctx, e.resolved.Client())
	login := "mcpauth login --profile " + text.QuoteWord(e.resolved.Name)
	switch {
	case err != nil && storeCode(err) == "MA218":
		return []Finding{found("MA218", kindOf("MA218").Title, problem.Of(err).Msg, login)}
	case err != nil:
		return nil // said by the check of the store
	case status.State == identity.SignedIn:
		return e.signedIn(status)
	case errors.As(status.Err, new(*identity.LockedError)):
		return one("MA414", "mcpauth is locked")
	case status.State == identity.Degraded:
		return []Finding{found("MA413", "the access token is over; it is renewed when it is needed", problem.Of(status.Err).Msg)}
	case status.Err == nil || status.Err == identity.ErrSignedOut:
		return []Finding{found("MA411", "nobody is signed in to "+e.resolved.Name, "", login)}
	}
	return []Finding{found("MA412", "the sign-in to "+e.resolved.Name+" has ended", problem.Of(status.Err).Msg, login)}
}

func (e *examination) signedIn(s identity.Status) []Finding {
	left := time.Until(s.ExpiresAt).Round(time.Second)
	text := fmt.Sprintf("a user is signed in to %s; the access token is valid for %s", e.resolved.Name, left)
	if !s.EndsAt.IsZero() {
		text += fmt.Sprintf(", and a limit of the profile ends the sign-in in %s", time.Until(s.EndsAt).Round(time.Second))
	}
	list := one("MA410", text)
	for _, warning := range s.User.Warnings {
		list = append(list, found("MA416", warning, ""))
	}
	if !s.HasRefreshToken {
		list = append(list, one("MA415", "there is no refresh token: the sign-in ends with its access token")...)
	}
	return list
}
