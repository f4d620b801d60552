package identity

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity/address"
)

const (
	deviceGrant       = "urn:ietf:params:oauth:grant-type:device_code"
	deviceInterval    = 5 * time.Second // where the provider names none (RFC 8628 3.2)
	deviceSlowDown    = 5 * time.Second // added by each slow_down (RFC 8628 3.5)
	maxDeviceInterval = time.Minute
	maxDeviceLife     = 30 * time.Minute
)

// deviceAnswer is RFC 8628 3.2.
type deviceAnswer struct {
	DeviceCode, UserCode, URL, FullURL string
	expiresIn, pollEvery               int64 // seconds; 0 when the provider does not say
}

// deviceAnswer reads the answer as tokens are read.
func (a *answer) deviceAnswer() (*deviceAnswer, error) {
	said, _, err := a.members()
	if err != nil {
		return nil, err
	}
	code, _ := nameOf(said["user_code"]) // a number at some
	return &deviceAnswer{
		DeviceCode: said.text("device_code"), UserCode: code,
		URL:       cmp.Or(said.text("verification_uri"), said.text("verification_url")), // Google's name for it, from a draft
		FullURL:   said.text("verification_uri_complete"),
		expiresIn: seconds(said["expires_in"]), pollEvery: seconds(said["interval"]),
	}, nil
}

// loginDevice opens no page, so nobody waits for another sign-in of the client
// first: codes do not get in each other's way, and the last sign-in stays.
func (a *Accounts) loginDevice(ctx context.Context, p *provider, c Client, o LoginOptions) (User, error) {
	s, code, err := a.askCode(ctx, p, c, o)
	if err != nil {
		return User{}, err
	}
	if o.UI.ShowCode != nil {
		o.UI.ShowCode(code.forPeople())
	}
	return s.finishCode(ctx, code)
}

// askCode asks for a code, once more without what the provider refuses and nobody
// has chosen.
func (a *Accounts) askCode(ctx context.Context, p *provider, c Client, o LoginOptions) (*signIn, *deviceAnswer, error) {
	if p.DeviceEndpoint == "" {
		return nil, nil, &MetadataError{Field: "device_authorization_endpoint", Reason: "is missing, so there is no sign-in by a code"}
	}
	s := a.newSignIn(p, c, o, p.ask(c, o))
	code, err := s.deviceCode(ctx)
	if next := s.next(err); next != nil {
		s = next
		code, err = s.deviceCode(ctx)
	}
	return s, code, err
}

// finishCode waits for the user's decision and keeps the sign-in.
func (s *signIn) finishCode(ctx context.Context, code *deviceAnswer) (User, error) {
	said, err := s.poll(ctx, code)
	if err != nil {
		return User{}, err
	}
	s.nonce = "" // RFC 8628 has no place for one: the tokens come by no browser
	return s.accept(ctx, said)
}

// deviceCode asks for a code (RFC 8628 3.1).
func (s *signIn) deviceCode(ctx context.Context) (*deviceAnswer, error) {
	p := s.provider
	form := url.Values{"scope": {strings.Join(s.asked.scopes, " ")}}
	if s.client.Audience != "" {
		form.Set("audience", s.client.Audience)
	}
	if s.client.Resource != "" {
		form.Set("resource", s.client.Resource)
	}
	s.asked.proof(form.Set)
	a, err := p.postForm(ctx, "device authorization", p.DeviceEndpoint, s.client, form)
	if err != nil {
		return nil, err
	}
	code, err := a.deviceAnswer()
	if a.status != http.StatusOK || err != nil {
		return nil, p.refusal("device authorization", p.DeviceEndpoint, a, s.client.ClientSecret.Reveal())
	}
	return code, code.judge()
}

// judge refuses an answer that a person could not use or should not see.
func (d *deviceAnswer) judge() error {
	d.UserCode = strings.TrimSpace(d.UserCode)
	link, err := address.ForBrowser(d.URL)
	switch {
	case err != nil:
		return &MetadataError{Field: "verification_uri", Reason: err.Error()}
	case d.DeviceCode == "" || d.UserCode == "" || clean(d.UserCode) != d.UserCode: // nobody could type what a terminal does not show
		return &MetadataError{Field: "user_code", Reason: "or device_code is missing"}
	}
	d.URL = link
	if d.FullURL, err = address.ForBrowser(d.FullURL); err != nil {
		d.FullURL = ""
	}
	return nil
}

func (d *deviceAnswer) life() time.Duration {
	if life := time.Duration(d.expiresIn) * time.Second; life > 0 && life <= maxDeviceLife {
		return life
	}
	return maxDeviceLife
}

func (d *deviceAnswer) interval() time.Duration {
	if every := time.Duration(d.pollEvery) * time.Second; every > 0 && every <= maxDeviceInterval {
		return every
	}
	return deviceInterval
}

func (d *deviceAnswer) forPeople() DeviceCode {
	return DeviceCode{UserCode: d.UserCode, URL: d.URL, FullURL: d.FullURL, ExpiresIn: d.life()}
}

// poll asks for the tokens until the person has decided. x/oauth2 would give up
// at the first network error.
func (s *signIn) poll(ctx context.Context, code *deviceAnswer) (tokenResponse, error) {
	end := s.accounts.now().Add(code.life())
	pace := devicePace{interval: code.interval()}
	for {
		if err := s.accounts.pause(ctx, pace.next()); err != nil {
			return tokenResponse{}, err
		}
		if !s.accounts.now().Before(end) {
			return tokenResponse{}, &TimeoutError{After: code.life()}
		}
		said, err := s.provider.grantTokens(ctx, "token", s.client,
			url.Values{"grant_type": {deviceGrant}, "device_code": {code.DeviceCode}}, code.DeviceCode)
		var refused *ProviderError
		switch {
		case err == nil:
			return said, nil
		case ctx.Err() != nil:
			return tokenResponse{}, ctx.Err()
		case pace.goOn(err):
		case errors.As(err, &refused) && refused.Code == "expired_token":
			return tokenResponse{}, &TimeoutError{After: code.life()}
		case errors.As(err, &refused) && refused.Code == "access_denied":
			return tokenResponse{}, &ConsentRefusedError{Description: refused.Description}
		default:
			return tokenResponse{}, err
		}
	}
}

// devicePace is how fast to poll (RFC 8628 3.5).
type devicePace struct {
	interval time.Duration
	trouble  time.Duration // instead, while the provider cannot be reached
}

func (d *devicePace) next() time.Duration { return max(d.interval, d.trouble) }

// goOn tells whether to poll again after an error, and notes how fast.
func (d *devicePace) goOn(err error) bool {
	var down *UnreachableError
	if errors.As(err, &down) {
		d.trouble = max(min(2*d.next(), maxDeviceInterval), down.RetryAfter)
		return true
	}
	d.trouble = 0
	var refused *ProviderError
	switch {
	case !errors.As(err, &refused):
		return false
	case refused.Code == "slow_down":
		d.interval = min(d.interval+deviceSlowDown, maxDeviceInterval)
		return true
	}
	return refused.Code == "authorization_pending"
}
