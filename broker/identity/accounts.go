package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
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

// load reads the client's record. Nobody signed in is ErrSignedOut itself; a
// record that cannot be used is a *RecordError; all else is the keychain's
// error, which does not mean that the user is signed out.
func (a *Accounts) load(ctx context.Context, c Client) (*record, error) {
	text, err := a.store.Get(ctx, c.key())
	if errors.Is(err, keychain.ErrNotFound) {
		return nil, ErrSignedOut
	}
	if err != nil {
		return nil, fmt.Errorf("reading the sign-in: %w", err)
	}
	return decodeRecord(text, c)
}

// save writes a record. The caller holds the client's lock.
func (a *Accounts) save(ctx context.Context, c Client, r *record) error {
	text, err := r.encode()
	if err != nil {
		return err
	}
	err = a.store.Set(ctx, c.key(), text)
	var full *keychain.Error
	if errors.As(err, &full) && full.Kind == keychain.TooBig && !r.idToken.IsZero() {
		smaller := *r // without what only a logout by browser would be nicer with
		smaller.idToken = keychain.Secret{}
		return a.save(ctx, c, &smaller)
	}
	if err != nil {
		return fmt.Errorf("storing the sign-in: %w", err)
	}
	return nil
}

func (a *Accounts) sharedOf(c Client) Shared {
	if a.shared != nil {
		return a.shared(c.slot())
	}
	return a.files(c)
}

func (a *Accounts) files(c Client) stateFiles {
	base := filepath.Join(a.stateDir, c.slot())
	return stateFiles{
		lock: base + ".lock", page: base + ".page", claim: base + ".claim", generation: base + ".gen",
		pause: base + ".pause", used: base + ".used", code: base + ".code",
	}
}

func (c Client) codeKey() string { return "device-code/" + c.slot() }

// pause waits, unless ctx ends before.
func (a *Accounts) pause(ctx context.Context, d time.Duration) error {
	if a.testOnlyPause != nil {
		return a.testOnlyPause(ctx, d)
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// providerTTL is how long metadata is believed. Short-lived access tokens are
// common, and asking for it at each refresh would double the requests.
const providerTTL = time.Hour

// providers remembers the metadata that sessions use. A sign-in always asks again.
type providers struct {
	mu    sync.Mutex
	known map[string]knownProvider // by the address of its metadata
}

type knownProvider struct {
	*provider
	read time.Time
}

func (a *Accounts) discover(ctx context.Context, c Client) (*provider, error) {
	return discover(ctx, c, a.roundTripper, a.now)
}

func (a *Accounts) provider(ctx context.Context, c Client) (*provider, error) {
	a.providers.mu.Lock()
	known, ok := a.providers.known[c.way()]
	a.providers.mu.Unlock()
	if age := a.now().Sub(known.read); ok && known.Issuer == c.Issuer && age >= 0 && age < providerTTL {
		return known.provider, nil
	}
	p, err := a.discover(ctx, c)
	if err != nil {
		return nil, err
	}
	a.providers.mu.Lock()
	defer a.providers.mu.Unlock()
	a.providers.known[c.way()] = knownProvider{p, a.now()}
	return p, nil
}

// Keys are the keys under which a client's sign-in and, unless secretRef is
// empty, its client_secret are in a store: what has to move with it.
func Keys(c Client, secretRef string) []string {
	keys := []string{c.key()}
	if secretRef != "" {
		keys = append(keys, secretKey(secretRef))
	}
	return keys
}

// Hold keeps everybody on this machine from changing the client's sign-in until
// release is called. It waits for a refresh under way, until ctx ends.
func (a *Accounts) Hold(ctx context.Context, c Client) (release func(), err error) {
	return a.sharedOf(c).Lock(ctx)
}

// Tell has every running session of the client read its sign-in again.
func (a *Accounts) Tell(c Client) error { return a.sharedOf(c).Bump() }
