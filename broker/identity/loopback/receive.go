package loopback

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/int128/oauth2cli"
	"golang.org/x/oauth2"
)

const slowOpen = 3 * time.Second // a browser in the foreground never returns

// Receive listens, sends the user to the provider, and returns when the code of the
// answer is exchanged. Neither the authorization URL itself is opened nor oauth2cli's
// index page, but a page of the listener's; the link that is shown is another one,
// which works when the first went to the wrong browser or was taken by another program.
//
// open and show may be nil. A [*BusyError] means that nothing has happened; the other
// errors are those of the [SignIn] and of ctx. The browser waits for Finish or SendOn.
func (l *Listener) Receive(ctx context.Context, open func(ctx context.Context, page string) error,
	show func(page string, opened bool)) error {
	ends, _ := ctx.Deadline()
	l.entry.expectAnswer(l.path, time.Until(ends))
	ready := make(chan string, 1) // with a buffer: oauth2cli waits for its reader before it goes on
	// It is never asked; without a style x/oauth2 would find one out by a second request.
	endpoint := oauth2.Endpoint{TokenURL: l.redirect.URI(), AuthStyle: oauth2.AuthStyleInParams}
	config := oauth2cli.Config{
		OAuth2Config:            oauth2.Config{RedirectURL: l.redirect.URI(), Endpoint: endpoint},
		State:                   l.state,
		LocalServerBindAddress:  []string{l.redirect.address()},
		LocalServerCallbackPath: l.redirect.path, // without it the callback would get 404
		LocalServerMiddleware:   l.wrap,
		LocalServerReadyChan:    ready,
	}
	done, exchange := make(chan error, 1), &exchange{listener: l}
	go func() {
		_, err := oauth2cli.GetToken(context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: exchange}), config)
		done <- err
	}()
	if err := l.accompany(ctx, open, show, ready, done); err != nil {
		return l.explain(ctx, exchange, err)
	}
	return nil
}

// exchange has the code exchanged by the sign-in where x/oauth2 thinks that it does so.
// It is shown the least that it takes for tokens.
type exchange struct {
	listener *Listener
	err      error
}

// RoundTrip implements [http.RoundTripper].
func (e *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	if e.err = e.listener.signIn.Exchange(r.Context(), e.listener.sentCode()); e.err != nil {
		return nil, e.err
	}
	const least = `{"access_token":"-","token_type":"Bearer"}`
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(least)), ContentLength: int64(len(least)), Request: r,
	}, nil
}

// accompany sends the user to the provider once the listener is up, and waits for
// the result.
func (l *Listener) accompany(ctx context.Context, open func(context.Context, string) error, show func(string, bool),
	ready <-chan string, done <-chan error) error {
	var opened chan error
	var slow <-chan time.Time
	shown := func(worked bool) {
		opened, slow = nil, nil
		if show != nil {
			show(l.entry.page(), worked)
		}
	}
	for {
		select {
		case <-ready:
			ready = nil
			if open == nil {
				shown(false)
				continue
			}
			opened, slow = make(chan error, 1), time.After(slowOpen)
			go func(opened chan<- error) { opened <- open(ctx, l.entry.page()) }(opened)
		case err := <-opened:
			shown(err == nil)
		case <-slow:
			shown(true)
		case err := <-done:
			return err
		}
	}
}

// explain replaces oauth2cli's and x/oauth2's errors, which print what the provider
// has sent.
func (l *Listener) explain(ctx context.Context, exchange *exchange, err error) error {
	var listening *net.OpError
	switch refused := l.refused(); {
	case refused != nil:
		return refused
	case ctx.Err() != nil:
		return ctx.Err()
	case exchange.err != nil:
		return exchange.err
	case errors.As(err, &listening) && listening.Op == "listen":
		return &BusyError{Addr: listening.Addr.String()}
	}
	return errors.New("the code could not be exchanged")
}
