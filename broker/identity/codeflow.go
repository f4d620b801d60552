package identity

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/int128/oauth2cli"
)

// receive has the browser bring an authorization code, and exchanges it.
func (s *signIn) receive(ctx context.Context, g *guard, r redirect) (tokenResponse, error) {
	attempt, err := s.begin(r.uri())
	if err != nil {
		return tokenResponse{}, err
	}
	g.log = logOf(ctx)
	logStep(g.log, "authorize", "browser to "+withoutQuery(attempt.address), sent(attempt.address.Query()))
	g.lead(ctx, r, attempt.URL, s.warn)
	ready := make(chan string, 1) // with a buffer: oauth2cli waits for its reader before it goes on
	config := oauth2cli.Config{
		OAuth2Config:            s.config(),
		State:                   s.state,
		LocalServerBindAddress:  []string{r.address()},
		LocalServerCallbackPath: r.path, // without it the callback would get 404
		LocalServerMiddleware:   g.wrap,
		LocalServerReadyChan:    ready,
	}
	done, exchange := make(chan error, 1), &codeExchange{guard: g}
	go func() {
		_, err := oauth2cli.GetToken(oidc.ClientContext(ctx, &http.Client{Transport: exchange}), config)
		done <- err
	}()
	err = s.accompany(ctx, g, r.uri(), ready, done)
	if err != nil {
		return exchange.said, s.explain(ctx, exchange, err)
	}
	return exchange.said, nil
}

// codeExchange has the code exchanged by us where x/oauth2 thinks that it does so. It
// is shown the least that it takes for tokens.
type codeExchange struct {
	guard *guard
	said  tokenResponse
	err   error
}

// RoundTrip implements [http.RoundTripper].
func (e *codeExchange) RoundTrip(r *http.Request) (*http.Response, error) {
	e.said, e.err = e.guard.signIn.exchange(r.Context(), e.guard.sentCode())
	if e.err != nil {
		return nil, e.err
	}
	const least = `{"access_token":"-","token_type":"Bearer"}`
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(least)), ContentLength: int64(len(least)), Request: r,
	}, nil
}

func (ui UI) show(link string, opened bool, redirectURI, clientID string) {
	if ui.ShowURL != nil {
		ui.ShowURL(link, opened)
	}
	if ui.Expect != nil {
		ui.Expect(redirectURI, clientID)
	}
}

// accompany sends the user to the provider once the listener is up, and waits for
// the result. Neither the authorization URL itself is opened nor oauth2cli's index
// page, but a page of the guard's; the link that is shown is another one, which
// works when the first went to the wrong browser or was taken by another program.
func (s *signIn) accompany(ctx context.Context, g *guard, redirectURI string, ready <-chan string, done <-chan error) error {
	var opened chan error
	var slow <-chan time.Time
	open := s.options.UI.OpenURL
	if s.tab != nil {
		open = s.tab.goOn
	}
	show := func(worked bool) {
		opened, slow = nil, nil
		if s.tab == nil {
			s.options.UI.show(g.entry.page(), worked, redirectURI, s.client.ClientID)
		}
	}
	for {
		select {
		case <-ready:
			ready = nil
			if open == nil {
				show(false)
				continue
			}
			opened, slow = make(chan error, 1), time.After(slowOpen)
			go func(opened chan<- error) { opened <- open(ctx, g.entry.page()) }(opened)
		case err := <-opened:
			show(err == nil)
		case <-slow:
			show(true)
		case err := <-done:
			return err
		}
	}
}

// explain replaces oauth2cli's and x/oauth2's errors, which print the expected
// state and the provider's whole answer.
func (s *signIn) explain(ctx context.Context, exchange *codeExchange, err error) error {
	var listening *net.OpError
	switch refused := exchange.guard.refused(); {
	case refused != nil:
		return refused
	case ctx.Err() != nil:
		return ctx.Err()
	case exchange.err != nil:
		return exchange.err
	case errors.As(err, &listening) && listening.Op == "listen":
		return &busyError{addr: listening.Addr.String()}
	}
	return unusable("token", s.provider.TokenEndpoint, "the code could not be sent to it")
}
