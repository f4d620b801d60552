package identity

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/int128/oauth2cli"
	"golang.org/x/oauth2"
)

// receive has the browser bring an authorization code, and exchanges it.
func (s *signIn) receive(ctx context.Context, g *guard, r redirect) (*oauth2.Token, error) {
	ready := make(chan string, 1) // with a buffer: oauth2cli waits for its reader before it goes on
	config := oauth2cli.Config{
		OAuth2Config: oauth2.Config{
			ClientID:     s.client.ClientID,
			ClientSecret: s.client.ClientSecret.Reveal(),
			Endpoint:     s.provider.endpoint(s.client),
			RedirectURL:  r.uri(),
			Scopes:       s.asked.scopes,
		},
		AuthCodeOptions:         s.authorizationParameters(),
		TokenRequestOptions:     s.tokenParameters(),
		State:                   s.state,
		LocalServerBindAddress:  []string{r.address()},
		LocalServerCallbackPath: r.path, // without it the callback would get 404
		LocalServerMiddleware:   g.wrap,
		LocalServerReadyChan:    ready,
	}
	authURL, err := ValidateAuthorizeURL(config.OAuth2Config.AuthCodeURL(s.state, config.AuthCodeOptions...))
	if err != nil {
		return nil, &MetadataError{Field: "authorization_endpoint", Reason: err.Error()}
	}
	if u, err := url.Parse(authURL); err == nil {
		tracerOf(ctx).tell(TraceEvent{Step: "authorize", What: "browser to " + withoutQuery(u), Sent: showForm(u.Query())})
	}
	g.tracer = tracerOf(ctx)
	done := make(chan tokenResult, 1)
	go func() {
		token, err := oauth2cli.GetToken(oidc.ClientContext(ctx, s.provider.http), config)
		done <- tokenResult{token, err}
	}()
	result := s.accompany(ctx, authURL, ready, done)
	if result.err != nil {
		return nil, s.explain(ctx, g, result.err)
	}
	return result.token, nil
}

type tokenResult struct {
	token *oauth2.Token
	err   error
}

// accompany sends the person to the provider once the listener is up, and
// waits for the result. The authorization URL itself is opened, not
// oauth2cli's index page.
func (s *signIn) accompany(ctx context.Context, authURL string, ready <-chan string, done <-chan tokenResult) tokenResult {
	var opened chan error
	var slow <-chan time.Time
	open := s.options.UI.OpenURL
	if s.tab != nil {
		open = s.tab.goOn
	}
	show := func(worked bool) {
		opened, slow = nil, nil
		if s.options.UI.ShowURL != nil && s.tab == nil {
			s.options.UI.ShowURL(authURL, worked)
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
			go func(opened chan<- error) { opened <- open(ctx, authURL) }(opened)
		case err := <-opened:
			show(err == nil)
		case <-slow:
			show(true)
		case result := <-done:
			return result
		}
	}
}

func (s *signIn) authorizationParameters() []oauth2.AuthCodeOption {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(s.verifier), oidc.Nonce(s.nonce)}
	if s.client.Audience != "" {
		options = append(options, oauth2.SetAuthURLParam("audience", s.client.Audience))
	}
	if s.client.Resource != "" {
		options = append(options, oauth2.SetAuthURLParam("resource", s.client.Resource))
	}
	return append(options, s.asked.options()...)
}

func (s *signIn) tokenParameters() []oauth2.AuthCodeOption {
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(s.verifier)}
	if s.client.Resource != "" {
		options = append(options, oauth2.SetAuthURLParam("resource", s.client.Resource))
	}
	return options
}

// explain replaces oauth2cli's and x/oauth2's errors, which print the expected
// state and the provider's whole answer.
func (s *signIn) explain(ctx context.Context, g *guard, err error) error {
	var (
		listening *net.OpError
		refused   *oauth2.RetrieveError
		network   *url.Error
	)
	p := s.provider
	switch {
	case g.refused() != nil:
		return g.refused()
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &listening) && listening.Op == "listen":
		return &busyError{addr: listening.Addr.String()}
	case errors.As(err, &refused):
		a := &answer{status: refused.Response.StatusCode, header: refused.Response.Header, body: refused.Body}
		return p.refusal("token", p.TokenEndpoint, a, g.sentCode(), s.verifier, s.client.ClientSecret.Reveal())
	case errors.As(err, &network):
		return unreachable("token", hostOf(p.TokenEndpoint), network)
	}
	return unreachable("token", hostOf(p.TokenEndpoint), errors.New("its answer is no token response"))
}
