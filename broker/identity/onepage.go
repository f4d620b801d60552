package identity

import (
	"context"

	"github.com/mcpauth/mcpauth/keychain"
)

// onePage takes the client's page lock, so that over all processes of this
// person at most one sign-in page is open: ten proxies that need a sign-in at
// the same moment would otherwise open ten tabs. It is not the lock of
// refreshing, which nobody may hold while a browser is open. The system frees
// it when its holder dies.
//
// Whoever finds it taken waits. If somebody has signed in through that other
// page meanwhile, in a way that this sign-in would accept, their record is
// returned, and no page is needed.
func (s *signIn) onePage(ctx context.Context) (release func(), signedIn *record, err error) {
	started := s.accounts.now()
	path := s.accounts.files(s.client).page
	release, free, err := keychain.TryLock(path)
	if err != nil || free {
		return release, nil, err
	}
	if s.options.UI.Waiting != nil {
		s.options.UI.Waiting("a sign-in page of " + s.client.Profile + " is open already; waiting for it to end")
	}
	release, err = keychain.Lock(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	rec, err := s.accounts.load(ctx, s.client)
	// A record keeps its times in whole seconds.
	if err != nil || rec.signedInAt.Unix() < started.Unix() || !s.accepts(rec) {
		return release, nil, nil
	}
	release()
	return nil, rec, nil
}

// accepts tells whether a sign-in through another page gave what is asked for.
func (s *signIn) accepts(rec *record) bool {
	return rec.dead == "" && rec.good(s.accounts.now()) && containsAll(rec.user.Scopes, s.options.Scopes) &&
		s.checkProof(rec.user.AuthTime, rec.acr) == nil
}
