package identity

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(holdPage); path != "" {
		os.Exit(holdPageLock(path))
	}
	if err := flag.Set("test.parallel", "8"); err != nil { // they wait more than they compute
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const soon = 30 * time.Second // how long a test waits for what should happen at once

// world is a provider, a person with a browser, and this machine.
type world struct {
	idp      *demoidp.Server
	clock    *clock
	store    *faultyStore
	accounts *Accounts
	client   Client
	browser  *browser

	mu       sync.Mutex
	said     []string // every error, page and warning, for the canary
	warnings []string
}

func newWorld(t *testing.T, o demoidp.Options) *world {
	t.Helper()
	c := &clock{}
	o.Now = c.now
	idp, err := demoidp.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		idp:    idp,
		clock:  c,
		store:  &faultyStore{Store: keychain.Memory()},
		client: Client{Profile: "test", Issuer: idp.Issuer(), ClientID: demoidp.DefaultClientID},
	}
	w.browser = &browser{
		client: &http.Client{Jar: jar, Timeout: 2 * soon, Transport: &http.Transport{}},
		pages:  make(chan shown, 4),
		urls:   make(chan string, 4),
	}
	w.browser.client.CheckRedirect = w.browser.follow
	w.accounts = w.machine(t, filepath.Join(t.TempDir(), "state"))
	t.Cleanup(func() {
		w.browser.client.CloseIdleConnections()
		_ = idp.Close()
		w.checkCanary(t)
	})
	return w
}

// signsInAlone is the provider of tests that are not about its pages.
func signsInAlone() demoidp.Options { return demoidp.Options{AutoApprove: true} }

// machine returns accounts on the world's keychain, as another process has them.
func (w *world) machine(t *testing.T, dir string) *Accounts {
	a := New(Options{Store: w.store, StateDir: dir, Now: w.clock.now})
	a.testOnlyWatchEvery = 20 * time.Millisecond
	t.Cleanup(a.roundTripper.(*http.Transport).CloseIdleConnections)
	return a
}

// clock is the wall clock, set forward or back.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// faultyStore is a keychain that fails when told to.
type faultyStore struct {
	keychain.Store
	getFails, setFails, deleteFails atomic.Pointer[keychain.Error]
	gets, sets                      atomic.Int64
	holds                           atomic.Pointer[chan struct{}] // what a Get waits for, like a person's answer
}

func (f *faultyStore) Get(ctx context.Context, key string) (keychain.Secret, error) {
	f.gets.Add(1)
	if hold := f.holds.Load(); hold != nil {
		select {
		case <-*hold:
		case <-ctx.Done():
			return keychain.Secret{}, ctx.Err()
		}
	}
	if err := f.getFails.Load(); err != nil {
		return keychain.Secret{}, err
	}
	return f.Store.Get(ctx, key)
}

func (f *faultyStore) Set(ctx context.Context, key string, secret keychain.Secret) error {
	f.sets.Add(1)
	if err := f.setFails.Load(); err != nil {
		return err
	}
	return f.Store.Set(ctx, key, secret)
}

func (f *faultyStore) Delete(ctx context.Context, key string) error {
	if err := f.deleteFails.Load(); err != nil {
		return err
	}
	return f.Store.Delete(ctx, key)
}

// browser is a person's, driven by net/http.
type browser struct {
	client     *http.Client
	pages      chan shown  // where each visit ended
	urls       chan string // authorization URLs that were opened
	atCallback func(*url.URL)
	gone       bool // the person closes the tab: the callback is never visited
}

type shown struct {
	status int
	header http.Header
	body   string
	err    error
}

func (b *browser) open(_ context.Context, target string) error {
	b.goTo(b.enter(target))
	return nil
}

// goTo opens an address at the provider.
func (b *browser) goTo(address string) {
	b.urls <- address
	go func() { b.pages <- b.visit(http.MethodGet, address, nil) }()
}

// enter opens a page on loopback and returns where it leads. The browser has its
// cookie from then on.
func (b *browser) enter(target string) string {
	r, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		return target
	}
	answer, err := b.client.Transport.RoundTrip(r)
	if err != nil {
		return target
	}
	_ = answer.Body.Close()
	b.client.Jar.SetCookies(r.URL, answer.Cookies())
	return cmp.Or(answer.Header.Get("Location"), target)
}

func (b *browser) visit(method, target string, form url.Values) shown {
	r, err := http.NewRequest(method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return shown{err: err}
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.do(r)
}

func (b *browser) do(r *http.Request) shown {
	resp, err := b.client.Do(r)
	if err != nil {
		return shown{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return shown{resp.StatusCode, resp.Header, string(body), err}
}

var errTabClosed = errors.New("the tab was closed")

func (b *browser) follow(r *http.Request, _ []*http.Request) error {
	if r.URL.Query().Get("state") == "" {
		return nil
	}
	if b.atCallback != nil {
		b.atCallback(r.URL)
	}
	if b.gone {
		return errTabClosed
	}
	return nil
}

func (w *world) ui() UI {
	return UI{OpenURL: w.browser.open, Warn: func(text string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.said = append(w.said, text)
		w.warnings = append(w.warnings, text)
	}}
}

// login signs in and returns what the person saw at the end.
func (w *world) login(t *testing.T) (User, shown, error) {
	t.Helper()
	user, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: w.ui(), Timeout: 2 * soon})
	w.heard(err)
	if len(w.browser.pages) == 0 && len(w.browser.urls) == 0 {
		return user, shown{}, err // no browser was opened
	}
	page := receive(t, w.browser.pages)
	w.mu.Lock()
	w.said = append(w.said, page.body)
	w.mu.Unlock()
	return user, page, err
}

// signedIn is login for tests of what comes after.
func (w *world) signedIn(t *testing.T) User {
	t.Helper()
	user, _, err := w.login(t)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

func (w *world) heard(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, err.Error())
}

// checkCanary finds tokens, codes and the secrets of a sign-in in everything
// that a person or a log could have seen.
func (w *world) checkCanary(t *testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	canary := regexp.MustCompile(demoidp.Canary)
	secrets := []string{}
	for len(w.browser.urls) > 0 {
		opened, err := url.Parse(<-w.browser.urls)
		if err != nil {
			t.Error(err)
			continue
		}
		secrets = append(secrets, opened.Query().Get("state"), opened.Query().Get("nonce"))
	}
	for _, text := range w.said {
		if canary.MatchString(text) {
			t.Errorf("a token or code is in %q", text)
		}
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("state or nonce is in %q", text)
			}
		}
	}
}

// stored is the client's record, which must be there.
func (w *world) stored(t *testing.T) *record {
	t.Helper()
	rec, err := w.accounts.load(t.Context(), w.client)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// wantNothingStored is the promise that nothing is ever half stored.
func (w *world) wantNothingStored(t *testing.T) {
	t.Helper()
	if _, err := w.store.Store.Get(context.Background(), w.client.key()); !errors.Is(err, keychain.ErrNotFound) {
		t.Errorf("keychain: %v, want nothing stored", err)
	}
	if w.accounts.files(w.client).Generation() != "" {
		t.Error("running sessions were told of a sign-in that is none")
	}
}

// wantPage checks what the person saw.
func wantPage(t *testing.T, page shown, status int, words string) {
	t.Helper()
	if page.err != nil || page.status != status || !strings.Contains(page.body, words) {
		t.Errorf("the browser saw %d %v %s\nwant %d with %q", page.status, page.err, page.body, status, words)
	}
}

// wantError finds the error's type and returns it.
func wantError[E error](t *testing.T, err error) E {
	t.Helper()
	var want E
	if !errors.As(err, &want) {
		t.Fatalf("got %T %v, want a %T", err, err, want)
	}
	return want
}

// receive takes what another goroutine sends, or notices that it has closed ch. It
// ends the test rather than to wait for ever.
func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case got := <-ch:
		return got
	case <-time.After(2 * soon):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// eventually polls until ok, since other goroutines do the work.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(soon); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("in vain: " + what)
		}
	}
}

// fails is a fault of one endpoint, for the first n requests.
func fails(endpoint string, n int64, fault demoidp.Fault) func(string) demoidp.Fault {
	var left atomic.Int64
	left.Store(n)
	return func(name string) demoidp.Fault {
		if name == endpoint && left.Add(-1) >= 0 {
			return fault
		}
		return demoidp.Fault{}
	}
}

const always = 1 << 40
