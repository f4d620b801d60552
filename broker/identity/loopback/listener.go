// Package loopback is the listener to which the browser comes back after a sign-in, and the
// pages that it shows. It sees no token, and of a sign-in only the address to send on to.
package loopback

import (
	"cmp"
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	pageWait  = 2 * time.Second // for the browser to take the result page
	pageWrite = 5 * time.Second
)

// SignIn is the sign-in whose answer a browser brings.
type SignIn interface {
	Knows(state string) bool                         // the state is this sign-in's
	Judge(answer url.Values) error                   // of the one answer with that state: why it ends the sign-in
	Exchange(ctx context.Context, code string) error // of that answer; the listener is closed by then
	Stray(query url.Values, status int)              // another request came, and the sign-in goes on
	Warn(text string)                                // for the user, each text once
}

// Listener receives the answer to one sign-in on loopback. It stands in front of
// oauth2cli's handler. oauth2cli ends the sign-in at
// the first request with an error or a wrong state, from any program, shows
// its index page with its state in it to everybody, and says "Authorized"
// before the code is exchanged. So it sees only the one answer that belongs to
// this sign-in, and the browser waits here until the outcome is known.
//
// The waiting connection is taken from oauth2cli's server, which closes before
// the exchange. The browser so gets its page from the address that it was sent
// to. A second page on a second port would be out of reach through an ssh
// tunnel, and blocked by providers whose CSP allows form-action to go to the
// redirect URI only.
type Listener struct {
	signIn      SignIn
	redirect    Redirect
	entry       *entry
	path        string
	state       string        // between this and oauth2cli, which need not know the sign-in's
	finished    chan struct{} // closed when result is set
	delivered   chan struct{} // closed when the first held browser has its page
	result      Page
	deliverOnce sync.Once
	finishOnce  sync.Once

	mu       sync.Mutex
	accepted string // query of the answer that was taken; empty before
	code     string // of that answer
	refusal  error  // why that answer ends the sign-in
}

// NewListener returns the listener at a redirect URI that was settled. It leads the
// browser to target, the provider's sign-in page.
func NewListener(r Redirect, target string, s SignIn) *Listener {
	l := &Listener{
		signIn:    s,
		redirect:  r,
		path:      cmp.Or(r.path, "/"),
		state:     rand.Text(),
		finished:  make(chan struct{}),
		delivered: make(chan struct{}),
	}
	l.entry = newEntry(net.JoinHostPort(r.host, r.port), l.path, target, s.Warn)
	return l
}

// wrap is oauth2cli's LocalServerMiddleware.
func (l *Listener) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refused := l.entry.refuse(r)
		if refused == nil && l.entry.serve(w, r) {
			return
		}
		var query url.Values
		if refused == nil {
			query, refused = l.screen(r)
		}
		if refused != nil {
			l.signIn.Stray(r.URL.Query(), refused.Status)
			refused.write(w)
			return
		}
		switch l.claim(r.URL.RawQuery, query) {
		case first:
			handOver(next, l.request(r, query))
			l.hold(w)
		case again:
			l.hold(w)
		case other:
			ExpiredPage().write(w)
		}
	})
}

// screen refuses everything that is not an answer to this very sign-in, from the
// browser that it was begun in, without ending it.
func (l *Listener) screen(r *http.Request) (url.Values, *Page) {
	stray := strayPage()
	if r.URL.EscapedPath() != l.path {
		stray.Status = http.StatusNotFound
		return nil, &stray
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || Repeats(query) || query.Get("code") == "" && query.Get("error") == "" {
		return nil, &stray
	}
	if !l.signIn.Knows(query.Get("state")) {
		if query.Get("state") != "" {
			l.entry.warnOnce("a page of an earlier sign-in came back and was not used; finish the newest page")
		}
		return nil, &stray
	}
	if !l.entry.owns(r) {
		other := otherBrowserPage()
		l.entry.warnOnce("the provider's answer came from another browser than the sign-in was begun in, and was not used; " +
			"open the link in the browser, window or profile that you sign in with")
		return nil, &other
	}
	return query, nil
}

// Repeats is RFC 6749 3.1: no parameter more than once. Two readers could take
// two different ones.
func Repeats(query url.Values) bool {
	for _, values := range query {
		if len(values) > 1 {
			return true
		}
	}
	return false
}

// turn says what a request with the right state is.
type turn int

const (
	first turn = iota // the answer
	again             // the answer, reloaded
	other             // another answer with the same state
)

// claim takes the first answer and judges it; the state is good for one.
func (l *Listener) claim(raw string, query url.Values) turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.accepted {
	case "":
		l.accepted, l.code, l.refusal = raw, query.Get("code"), l.signIn.Judge(query)
		return first
	case raw:
		return again
	}
	return other
}

// request is what oauth2cli sees. An answer that ends the sign-in reaches it
// as a bare error, so that its own error texts cannot repeat the provider's.
func (l *Listener) request(r *http.Request, query url.Values) *http.Request {
	seen := url.Values{"state": {l.state}}
	if l.refused() != nil {
		seen.Set("error", "refused")
	} else {
		seen.Set("code", query.Get("code"))
	}
	clone := r.Clone(r.Context())
	clone.URL = &url.URL{Path: l.path, RawQuery: seen.Encode()}
	return clone
}

func (l *Listener) refused() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refusal
}

// Opened reports whether a browser was sent on to the provider.
func (l *Listener) Opened() bool { return l.entry.opened() }

// Answered reports whether the browser has come back.
func (l *Listener) Answered() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accepted != ""
}

func (l *Listener) sentCode() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.code
}

// handOver lets oauth2cli have the answer and drops what it wants to tell the
// browser. When the sign-in was called off at this very moment, oauth2cli
// sends on a closed channel, and net/http would print the panic.
func handOver(next http.Handler, r *http.Request) {
	defer func() { _ = recover() }()
	next.ServeHTTP(nowhere{}, r)
}

// hold keeps the browser waiting for the outcome of the sign-in.
func (l *Listener) hold(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer l.deliverOnce.Do(func() { close(l.delivered) })
	defer func() { _ = conn.Close() }()
	<-l.finished
	_ = conn.SetDeadline(time.Now().Add(pageWrite))
	_ = l.result.response().Write(conn)
}

// Finish shows the outcome to the browser and gives it a moment to take it,
// unless no browser ever came or nobody wants to wait any more. Only the first
// call does anythinl.
func (l *Listener) Finish(ctx context.Context, result Page) {
	l.finishOnce.Do(func() { l.deliver(ctx, result) })
}

// SendOn sends the browser that waits on to another address, instead of Finish.
func (l *Listener) SendOn(ctx context.Context, address string) error {
	l.Finish(ctx, Page{Status: http.StatusSeeOther, location: address})
	return nil
}

func (l *Listener) deliver(ctx context.Context, result Page) {
	l.mu.Lock()
	waiting := l.accepted != ""
	l.mu.Unlock()
	l.result = result
	close(l.finished)
	if !waiting {
		return
	}
	timer := time.NewTimer(pageWait)
	defer timer.Stop()
	select {
	case <-l.delivered:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// nowhere is a response that nobody gets.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
