package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity/address"
	"github.com/mcpauth/mcpauth/broker/identity/loopback"
	"github.com/mcpauth/mcpauth/keychain"
)

// Accounts signs people in and out, and opens sessions for them. It is safe
// for concurrent use, in this process and beside others on the same store and
// folder.
type Accounts struct {
	store        keychain.Store
	stateDir     string
	shared       func(slot string) Shared
	now          func() time.Time
	roundTripper http.RoundTripper
	providers    providers

	testOnlyWatchEvery time.Duration // unless 0, instead of watchEvery
	testOnlyPause      func(context.Context, time.Duration) error
	testOnlySettled    func(loopback.Redirect) // between the choice of a port and its use
}

// New returns the accounts that are kept in options.Store. It does no work.
func New(options Options) *Accounts {
	now := options.Now
	if now == nil {
		now = time.Now
	}
	network := http.DefaultTransport.(*http.Transport).Clone()
	network.DialContext = address.Dial
	network.MaxIdleConnsPerHost = 1
	network.IdleConnTimeout = 10 * time.Second // a proxy is idle for an hour between two refreshes
	return &Accounts{
		store:        options.Store,
		stateDir:     options.StateDir,
		shared:       options.Shared,
		now:          now,
		roundTripper: network,
		providers:    providers{known: map[string]knownProvider{}},
	}
}

// SetClientSecret keeps a client_secret under ref, the name that profiles call
// it by.
func (a *Accounts) SetClientSecret(ctx context.Context, ref string, secret keychain.Secret) error {
	if err := a.store.Set(ctx, secretKey(ref), secret); err != nil {
		return fmt.Errorf("client secret %s: %w", ref, err)
	}
	return nil
}

// ClientSecret returns the client_secret under ref, or an error that is
// [keychain.ErrNotFound] when there is none.
func (a *Accounts) ClientSecret(ctx context.Context, ref string) (keychain.Secret, error) {
	secret, err := a.store.Get(ctx, secretKey(ref))
	if err != nil {
		return keychain.Secret{}, fmt.Errorf("client secret %s: %w", ref, err)
	}
	return secret, nil
}

// DeleteClientSecret forgets the client_secret under ref. Absence is no error.
func (a *Accounts) DeleteClientSecret(ctx context.Context, ref string) error {
	if err := a.store.Delete(ctx, secretKey(ref)); err != nil {
		return fmt.Errorf("client secret %s: %w", ref, err)
	}
	return nil
}

func secretKey(ref string) string { return "client-secret/" + slot(ref, ref) }

// slot names one sign-in in the keychain and in the state folder. The hash
// keeps apart what the readable part cannot show: issuers, clients, and names
// that differ only in case or in characters that no file name may have.
func (c Client) slot() string { return slot(c.Profile, c.Profile, c.Issuer, c.ClientID) }

func (c Client) key() string { return "session/" + c.slot() }

const maxReadable = 32 // characters of a name in a slot

func slot(readable string, parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(sum, "%d:%s", len(part), part) // a hash takes everything
	}
	readable = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, readable)
	return readable[:min(len(readable), maxReadable)] + "-" + hex.EncodeToString(sum.Sum(nil)[:16])
}
