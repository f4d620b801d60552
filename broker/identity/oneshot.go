package identity

import (
	"context"
	"time"

	"github.com/mcpauth/mcpauth/keychain"
)

// Access is an access token, with what its reader has to know about it.
type Access struct {
	Token     keychain.Secret
	User      User
	ExpiresAt time.Time
}

// Access returns an access token with atLeast left to live, for a caller that
// runs no session. It renews the token, by the protocol of all sessions, where
// less is left, but not one in the first fifth of its life: a provider may give
// tokens that never live so long, and each caller would renew the last one's.
// So the token may have less left than asked for. 0 is what
// [Session.AccessToken] holds for enough; the errors are those, too.
func (a *Accounts) Access(ctx context.Context, c Client, atLeast time.Duration) (Access, error) {
	s := a.Session(c)
	s.atLeast = atLeast
	s.reload(ctx)
	defer s.drain() // leaving during a refresh would lose its tokens
	if _, state := s.look(); s.outlived(state.rec, a.now()) != nil {
		s.expire(ctx)
	}
	token, err := s.AccessToken(ctx)
	if err != nil {
		return Access{}, err
	}
	_, state := s.look()
	return Access{Token: token, User: state.rec.user, ExpiresAt: state.rec.expiresAt}, nil
}

// fresh tells whether a caller may send the token without a refresh before.
func (s *Session) fresh(rec *record, now time.Time) bool {
	if s.atLeast == 0 {
		return rec.usableFor(renewMargin, now)
	}
	return rec.good(now) && rec.expiresAt.Sub(now) > min(s.atLeast, rec.lifetime()*4/5)
}
