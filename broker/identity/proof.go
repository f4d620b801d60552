package identity

import (
	"context"
	"slices"
	"time"
)

// checkProof holds the provider to what was asked for beyond a mere sign-in:
// both max_age and acr_values may be ignored by one that does not know them
// (OpenID Connect Core 3.1.2.1), and then nothing was proved.
func (s *signIn) checkProof(authTime int64, acr string) error {
	if s.options.Reauth {
		since := s.began.Add(time.Duration(s.provider.transport.skew.Load()) - tokenLeeway)
		switch {
		case authTime == 0:
			return &VerifyError{What: "ID token", Why: "it does not say when the person signed in (auth_time), which a fresh sign-in needs"}
		case authTime < since.Unix():
			return &VerifyError{What: "ID token", Why: "the person signed in long before (auth_time), and a fresh sign-in was asked for"}
		}
	}
	if len(s.options.ACR) > 0 && !slices.Contains(s.options.ACR, acr) {
		return &VerifyError{What: "ID token", Why: "the person did not sign in in the way that was asked for (acr " + clean(acr) + ")"}
	}
	return nil
}

// Unlock has the person of a client prove anew who they are, stores that
// sign-in, and undoes Lock. Whatever fails leaves the lock where it is.
func (a *Accounts) Unlock(ctx context.Context, c Client, o LoginOptions) (User, error) {
	o.Reauth, o.unlocks = true, true
	user, err := a.Login(ctx, c, o)
	if err != nil {
		return User{}, err
	}
	return user, a.LiftLock()
}
