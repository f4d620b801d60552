package identity

import (
	"cmp"
	"context"
	"log/slog"
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

// guard stands in front of oauth2cli's handler. oauth2cli ends the sign-in at
// the first request with an error or a wrong state, from any program, shows
// its index page with our state in it to everybody, and says "Authorized"
// before the code is exchanged. So it sees only the one answer that belongs to
// this sign-in, and the browser waits here until the outcome is known.
//
// The waiting connection is taken from oauth2cli's server, which closes before
// the exchange. The browser so gets its page from the address that it was sent
// to. A second page on a second port would be out of reach through an ssh
// tunnel, and blocked by providers whose CSP allows form-action to go to the
// redirect URI only.
type guard struct {
	signIn      *signIn
	entry       *entry
	path        string
	finished    chan struct{} // closed when result is set
	delivered   chan struct{} // closed when the first held browser has its page
	result      page
	log         *slog.Logger
	deliverOnce sync.Once
	finishOnce  sync.Once

	mu       sync.Mutex
	accepted string // query of the answer that was taken; empty before
	code     string // of that answer
	refusal  error  // why that answer ends the sign-in
}

func newGuard(s *signIn, r redirect) *guard {
	return &guard{
		signIn:    s,
		path:      cmp.Or(r.path, "/"),
		finished:  make(chan struct{}),
		delivered: make(chan struct{}),
	}
}

// lead makes the pages that lead a browser to the provider at target, for as long
// as the sign-in may take.
func (g *guard) lead(ctx context.Context, r redirect, target string, warn func(string)) {
	g.entry = newEntry(net.JoinHostPort(r.host, r.port), g.path, target, warn)
	ends, _ := ctx.Deadline()
	g.entry.expectAnswer(g.path, time.Until(ends))
}

// wrap is oauth2cli's LocalServerMiddleware.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refused := g.entry.refuse(r)
		if refused == nil && g.entry.serve(w, r) {
			return
		}
		var query url.Values
		if refused == nil {
			query, refused = g.screen(r)
		}
		if refused != nil {
			logStep(g.log, "callback", "a request that is no answer to this sign-in", sentNames(r.URL.Query()), slog.Int("status", refused.status),
				slog.String("problem", "wrong user, address, method, state, browser or form; the sign-in goes on"))
			refused.write(w)
			return
		}
		switch g.claim(r.URL.RawQuery, query) {
		case first:
			logStep(g.log, "callback", "the browser came back", sent(query), problemAttr(g.refused(), g.signIn.state, g.sentCode()))
			handOver(next, g.request(r, query))
			g.hold(w)
		case again:
			g.hold(w)
		case other:
			usedPage().write(w)
		}
	})
}

// screen refuses everything that is not an answer to this very sign-in, from the
// browser that it was begun in, without ending it.
func (g *guard) screen(r *http.Request) (url.Values, *page) {
	stray := strayPage()
	if r.URL.EscapedPath() != g.path {
		stray.status = http.StatusNotFound
		return nil, &stray
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || repeats(query) || query.Get("code") == "" && query.Get("error") == "" {
		return nil, &stray
	}
	if !g.signIn.knows(query.Get("state")) {
		if query.Get("state") != "" {
			g.entry.warnOnce("a page of an earlier sign-in came back and was not used; finish the newest page")
		}
		return nil, &stray
	}
	if !g.entry.owns(r) {
		other := otherBrowserPage()
		g.entry.warnOnce("the provider's answer came from another browser than the sign-in was begun in, and was not used; open the link in the browser, window or profile that you sign in with")
		return nil, &other
	}
	return query, nil
}

// turn says what a request with the right state is.
type turn int

const (
	first turn = iota // the answer
	again             // the answer, reloaded
	other             // another answer with the same state
)

// claim takes the first answer and judges it; the state is good for one.
func (g *guard) claim(raw string, query url.Values) turn {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch g.accepted {
	case "":
		g.accepted, g.code, g.refusal = raw, query.Get("code"), g.signIn.judge(query)
		return first
	case raw:
		return again
	}
	return other
}

// request is what oauth2cli sees. An answer that ends the sign-in reaches it
// as a bare error, so that its own error texts cannot repeat the provider's.
func (g *guard) request(r *http.Request, query url.Values) *http.Request {
	seen := url.Values{"state": {g.signIn.state}}
	if g.refused() != nil {
		seen.Set("error", "refused")
	} else {
		seen.Set("code", query.Get("code"))
	}
	clone := r.Clone(r.Context())
	clone.URL = &url.URL{Path: g.path, RawQuery: seen.Encode()}
	return clone
}

func (g *guard) refused() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refusal
}

// answered tells whether the browser has come back.
func (g *guard) answered() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.accepted != ""
}

func (g *guard) sentCode() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.code
}

// handOver lets oauth2cli have the answer and drops what it wants to tell the
// browser. When the sign-in was called off at this very moment, oauth2cli
// sends on a closed channel, and net/http would print the panic.
func handOver(next http.Handler, r *http.Request) {
	defer func() { _ = recover() }()
	next.ServeHTTP(nowhere{}, r)
}

// hold keeps the browser waiting for the outcome of the sign-in.
func (g *guard) hold(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer g.deliverOnce.Do(func() { close(g.delivered) })
	defer func() { _ = conn.Close() }()
	<-g.finished
	_ = conn.SetDeadline(time.Now().Add(pageWrite))
	_ = g.result.response().Write(conn)
}

// finish shows the outcome to the browser and gives it a moment to take it,
// unless no browser ever came or nobody wants to wait any more. Only the first
// call does anything.
func (g *guard) finish(ctx context.Context, result page) {
	g.finishOnce.Do(func() { g.deliver(ctx, result) })
}

// goOn sends the browser that waits on to another address.
func (g *guard) goOn(ctx context.Context, address string) error {
	g.finish(ctx, page{status: http.StatusSeeOther, location: address})
	return nil
}

func (g *guard) deliver(ctx context.Context, result page) {
	g.mu.Lock()
	waiting := g.accepted != ""
	g.mu.Unlock()
	g.result = result
	close(g.finished)
	if !waiting {
		return
	}
	timer := time.NewTimer(pageWait)
	defer timer.Stop()
	select {
	case <-g.delivered:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// nowhere is a response that nobody gets.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
