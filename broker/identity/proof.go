package identity

import (
	"context"
	"slices"
	"time"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// checkProof holds the provider to what was asked for beyond a mere sign-in:
// both max_age and acr_values may be ignored by one that does not know them
// (OpenID Connect Core 3.1.2.1), and then nothing was proved. An unlock goes on
// without auth_time, for Unlock to ask the person instead.
func (s *signIn) checkProof(authTime int64, acr string) error {
	if s.options.Reauth {
		skew := time.Duration(s.provider.transport.skew.Load())
		since := s.began.Add(skew - tokenLeeway)
		switch {
		case authTime == 0 && !s.options.unlocks:
			return &ProofError{Claim: "auth_time", Why: "the provider does not say when the person signed in (auth_time)"}
		case authTime > s.accounts.now().Add(skew+tokenLeeway).Unix():
			return &ProofError{Claim: "auth_time", Why: "the provider says that the person signed in at a time that is still to come (auth_time)"}
		case authTime != 0 && authTime < since.Unix():
			return &ProofError{Claim: "auth_time", Why: "the provider remembered the person from an earlier sign-in (auth_time)"}
		}
	}
	if len(s.options.ACR) > 0 && !slices.Contains(s.options.ACR, acr) {
		if acr == "" {
			return &ProofError{Claim: "acr", Why: "the provider does not say how the person signed in (acr)"}
		}
		return &ProofError{Claim: "acr", Why: "the person signed in in another way, acr " + clean(acr)}
	}
	return nil
}

// checkOwner keeps another user's sign-in from undoing a lock: the other
// profiles are still the first one's.
func (s *signIn) checkOwner(ctx context.Context, sub string) error {
	if !s.options.unlocks {
		return nil
	}
	owner, err := s.accounts.load(ctx, s.client)
	if err != nil || owner.user.Sub == sub {
		return nil // a keychain that cannot tell is heard of when the sign-in is stored
	}
	return &ProofError{Claim: "sub", Why: "it is somebody else's than the one that is locked"}
}

// unlockQuestion is asked where the provider does not say when the user signed
// in, as Google, Dex and mostly Entra do. Then a browser that remembers the
// person may have signed in by itself, for whatever program ran the unlock.
const unlockQuestion = "The provider does not say whether you signed in just now or the browser remembered you. Let AI clients use your sign-ins again?"

// ErrUnconfirmed means that an unlock needed the yes of a person at this machine
// and did not get it.
var ErrUnconfirmed error = &state{
	"still locked: the provider does not prove that a person signed in just now, and nobody here confirmed it",
	problem.ExitSignInNeeded, []string{"at a terminal, mcpauth unlock asks you", signOutHint},
}
