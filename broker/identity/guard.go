package identity

import (
	"cmp"
	"context"
	"crypto/subtle"
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

// answerToSignIn is VerifyError.What of an answer that may be a mix-up attack.
const answerToSignIn = "answer to the sign-in"

// guard stands in front of oauth2cli's handler. oauth2cli ends the sign-in at
// the first request that has an error or a wrong state, whoever sent it, shows
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
	provider    *provider
	host        string // exactly as in the redirect URI
	path        string
	state       string
	profile     string
	finished    chan struct{} // closed when result is set
	delivered   chan struct{} // closed when the first held browser has its page
	result      page
	tracer      *tracer
	deliverOnce sync.Once
	finishOnce  sync.Once

	mu       sync.Mutex
	accepted string // query of the answer that was taken; empty before
	code     string // of that answer
	refusal  error  // why that answer ends the sign-in
}

func newGuard(s *signIn, r redirect) *guard {
	return &guard{
		provider:  s.provider,
		host:      net.JoinHostPort(r.host, r.port),
		path:      cmp.Or(r.path, "/"),
		state:     s.state,
		profile:   s.client.Profile,
		finished:  make(chan struct{}),
		delivered: make(chan struct{}),
	}
}

// wrap is oauth2cli's LocalServerMiddleware.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, refused := g.screen(r)
		if refused != nil {
			g.tracer.tell(TraceEvent{Step: "callback", What: "a request that is no answer to this sign-in", Sent: showNames(r.URL.Query()),
				Status: refused.status, Problem: "wrong address, method, state or form; the sign-in goes on"})
			refused.write(w)
			return
		}
		switch g.claim(r.URL.RawQuery, query) {
		case first:
			g.tracer.tell(TraceEvent{Step: "callback", What: "the browser came back", Sent: showForm(query), Problem: clean(errorText(g.refused()), g.state, g.sentCode())})
			handOver(next, g.request(r, query))
			g.hold(w)
		case again:
			g.hold(w)
		case other:
			usedPage().write(w)
		}
	})
}

// screen refuses everything that is not an answer to this very sign-in,
// without ending it.
func (g *guard) screen(r *http.Request) (url.Values, *page) {
	stray := strayPage()
	switch {
	case r.Host != g.host: // DNS rebinding
		stray.status = http.StatusMisdirectedRequest
		return nil, &stray
	case r.Method != http.MethodGet:
		stray.status = http.StatusMethodNotAllowed
		return nil, &stray
	case r.URL.EscapedPath() != g.path:
		stray.status = http.StatusNotFound
		return nil, &stray
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || repeats(query) || !g.knows(query.Get("state")) {
		return nil, &stray
	}
	if query.Get("code") == "" && query.Get("error") == "" {
		return nil, &stray
	}
	return query, nil
}

func (g *guard) knows(state string) bool {
	return subtle.ConstantTimeCompare([]byte(state), []byte(g.state)) == 1
}

// repeats is RFC 6749 3.1: no parameter more than once. Two readers could take
// two different ones.
func repeats(query url.Values) bool {
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
func (g *guard) claim(raw string, query url.Values) turn {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch g.accepted {
	case "":
		g.accepted, g.code, g.refusal = raw, query.Get("code"), g.judge(query)
		return first
	case raw:
		return again
	}
	return other
}

// judge is RFC 9207 2.4 and RFC 6749 4.1.2.1. iss comes first: what a foreign
// issuer says about an error must not be shown.
func (g *guard) judge(query url.Values) error {
	_, there := query["iss"]
	switch {
	case !there && g.provider.SendsIss:
		return &VerifyError{What: answerToSignIn, Why: "the provider promises to say who it is, and did not (iss)"}
	case there && query.Get("iss") != g.provider.Issuer:
		return &VerifyError{What: answerToSignIn, Why: "another provider sent it (iss)"}
	}
	description := query.Get("error_description")
	switch code := query.Get("error"); code {
	case "":
		return nil
	case "access_denied":
		return &ConsentRefusedError{Description: clean(description, g.state)}
	default:
		return providerError("authorization", code, description, g.state)
	}
}

// request is what oauth2cli sees. An answer that ends the sign-in reaches it
// as a bare error, so that its own error texts cannot repeat the provider's.
func (g *guard) request(r *http.Request, query url.Values) *http.Request {
	seen := url.Values{"state": {g.state}}
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
