package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity/address"
)

const (
	requestTimeout = 15 * time.Second // one request with its whole answer
	maxBody        = 1 << 20          // bytes of an answer, unpacked
	maxRetryAfter  = time.Minute      // more is a provider that wants to lock us out
)

// errTooBig ends the reading of an answer that is over maxBody.
var errTooBig = errors.New("the answer is too big")

// transport is what all requests to one provider go through. It caps bodies,
// since x/oauth2 and go-oidc read them without a limit, and notes how far the
// provider's clock is from ours.
type transport struct {
	base  http.RoundTripper
	now   func() time.Time
	skew  atomic.Int64 // nanoseconds that the provider's clock is ahead
	reach address.Reach

	metadata *metadata // for the log; nil before it is read
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if log := logOf(r.Context()); log != nil {
		return t.logged(log, r)
	}
	return t.roundTrip(r)
}

func (t *transport) roundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(t.reach.Limit(r, t.base))
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		t.skew.Store(int64(date.Sub(t.now())))
	}
	resp.Body = &cappedBody{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

type cappedBody struct {
	io.ReadCloser
	left int
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooBig
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// client follows no redirect at all: net/http would send a code or refresh
// token on to another host with a 307, and keeps Authorization for another
// port of the same one.
func (t *transport) client() *http.Client {
	return &http.Client{
		Transport:     t,
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// retryAfter is how long the answer asks us to wait, at most maxRetryAfter.
func (a *answer) retryAfter(now time.Time) time.Duration {
	value := a.header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// do sends a request and reads the answer. Its only error is *UnreachableError.
func (p *provider) do(r *http.Request, step string) (*answer, error) {
	resp, err := p.http.Do(r)
	if err != nil {
		return nil, unreachable(step, r.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, unreachable(step, r.URL.Host, err)
	}
	return &answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

func (p *provider) get(ctx context.Context, step, target string) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, fmt.Errorf("%s request: %w", step, err)
	}
	r.Header.Set("Accept", "application/json")
	return p.do(r, step)
}

// postForm sends a form as this client: with its secret in the way that the
// provider wants, or with its client_id alone (RFC 6749 2.3.1 and 3.2.1).
func (p *provider) postForm(ctx context.Context, step, target string, c Client, form url.Values) (*answer, error) {
	secret := c.ClientSecret.Reveal()
	if p.authInParams(c) {
		form.Set("client_id", c.ClientID)
		if secret != "" {
			form.Set("client_secret", secret)
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("%s request: %w", step, err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if !p.authInParams(c) {
		r.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(secret))
	}
	return p.do(r, step)
}

// refusal turns an answer that is no success into an error: the OAuth error
// that it holds, or else trouble that may pass.
func (p *provider) refusal(step, target string, a *answer, secrets ...string) error {
	trouble := &UnreachableError{Step: step, Host: hostOf(target), RetryAfter: a.retryAfter(p.now()), Answered: true, Err: a.statusError(target)}
	said, _, err := a.members()
	switch {
	case a.status >= 500, a.status == http.StatusTooManyRequests, a.status >= 300 && a.status < 400:
	case err != nil || said.text("error") == "":
		trouble.Err = fmt.Errorf("it answered %d with something that is not OAuth (%s)", a.status, a.kind())
	default:
		return providerError(step, said.text("error"), said.text("error_description"), secrets...)
	}
	return trouble
}

// statusError says which status the answer to target has, and where it leads.
func (a *answer) statusError(target string) error {
	switch to := a.location(target); {
	case to != nil: // without its path, which could repeat what was sent
		return fmt.Errorf("it answered %d, which leads to %s, and redirects are not followed", a.status, clean(to.Scheme+"://"+to.Host))
	case a.status >= 300 && a.status < 400:
		return fmt.Errorf("it answered %d, and redirects are not followed", a.status)
	}
	return fmt.Errorf("it answered %d", a.status)
}

// unusable is an answer that was had and says nothing that helps.
func unusable(step, target, format string, args ...any) *UnreachableError {
	return &UnreachableError{Step: step, Host: hostOf(target), Answered: true, Err: fmt.Errorf(format, args...)}
}

// unreachable drops the outer *url.Error, which repeats the whole URL.
func unreachable(step, host string, err error) *UnreachableError {
	var outer *url.Error
	for errors.As(err, &outer) {
		err = outer.Err
	}
	return &UnreachableError{Step: step, Host: host, Err: err, Answered: errors.Is(err, errTooBig)}
}

// hostOf is the host of a URL that was judged before.
func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "the provider"
	}
	return u.Host
}
