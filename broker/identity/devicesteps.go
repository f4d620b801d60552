package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

const againWithCode = "mcpauth login --device --json"

// ErrNoCode means that there is no sign-in with a code to finish: none was begun
// for this client, or it is over.
var ErrNoCode error = &state{
	"no sign-in with a code was begun, or it has ended already",
	problem.ExitSignInNeeded, []string{againWithCode},
}

// ErrCodeExpired means that the code was not entered while it was good.
var ErrCodeExpired error = &state{
	"the code has expired before it was entered",
	problem.ExitSignInNeeded, []string{"begin again, with a new code:", againWithCode},
}

// ErrCodeWaits means that [Accounts.FinishDevice] has stopped waiting while the
// code is still good.
var ErrCodeWaits error = &state{
	"the code was not entered in this time; it is still good",
	problem.ExitSignInNeeded, []string{"mcpauth login --wait"},
}

// pendingCode is a sign-in with a code between its two steps. It is kept in the
// keychain only: who has the device code gets the tokens.
type pendingCode struct {
	Version     int      `json:"version"`
	Issuer      string   `json:"issuer"`
	ClientID    string   `json:"client_id"`
	DeviceCode  string   `json:"device_code"`
	PollEvery   int64    `json:"interval"`   // seconds; 0 when the provider does not say
	BeganAt     int64    `json:"began_at"`   // seconds since the epoch
	ExpiresAt   int64    `json:"expires_at"` // seconds since the epoch
	Scopes      []string `json:"scopes"`     // that were asked for
	ExtraScopes []string `json:"extra_scopes,omitempty"`
	Reauth      bool     `json:"reauth,omitempty"`
	ACR         []string `json:"acr,omitempty"`
}

// BeginDevice asks the provider for a code and keeps what [Accounts.FinishDevice]
// needs in the keychain, in the place of an earlier one. Nothing goes on after it.
func (a *Accounts) BeginDevice(ctx context.Context, c Client, o LoginOptions) (DeviceCode, error) {
	timeout := cmp.Or(o.Timeout, defaultLoginTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, &TimeoutError{After: timeout})
	defer cancel()
	code, err := a.beginDevice(logged(ctx, o.UI.Log), c, o)
	return code, ended(ctx, err)
}

func (a *Accounts) beginDevice(ctx context.Context, c Client, o LoginOptions) (DeviceCode, error) {
	if c.Machine {
		return DeviceCode{}, &ClientError{Field: "grant", Reason: "is client_credentials, which signs in without a user and so without a code: mcpauth login"}
	}
	p, o, err := a.prepare(ctx, c, o)
	if err != nil {
		return DeviceCode{}, err
	}
	s, code, err := a.askCode(ctx, p, c, o)
	if err != nil {
		return DeviceCode{}, err
	}
	text, err := json.Marshal(pendingCode{
		Version: recordVersion, Issuer: c.Issuer, ClientID: c.ClientID,
		DeviceCode: code.DeviceCode, PollEvery: code.pollEvery,
		BeganAt: s.began.Unix(), ExpiresAt: a.now().Add(code.life()).Unix(),
		Scopes: s.asked.scopes, ExtraScopes: o.Scopes, Reauth: o.Reauth, ACR: o.ACR,
	})
	if err != nil {
		return DeviceCode{}, errors.New("the code has no JSON form") // err may quote it
	}
	if err := a.store.Set(ctx, c.codeKey(), keychain.NewSecret(string(text))); err != nil {
		return DeviceCode{}, fmt.Errorf("storing the code: %w", err)
	}
	return code.forPeople(), nil
}

// FinishDevice waits until the user has entered the code of [Accounts.BeginDevice],
// and signs in. o.Timeout bounds the wait; 0 means for as long as the code is good.
// The code is deleted once it is of no more use. One process at a time asks the
// provider.
func (a *Accounts) FinishDevice(ctx context.Context, c Client, o LoginOptions) (User, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, cmp.Or(o.Timeout, maxDeviceLife), ErrCodeWaits)
	defer cancel()
	user, err := a.finishDevice(logged(ctx, o.UI.Log), c, o)
	return user, ended(ctx, err)
}

func (a *Accounts) finishDevice(ctx context.Context, c Client, o LoginOptions) (User, error) {
	unlock, err := sharedfile.Lock(ctx, a.files(c).code)
	if err != nil {
		return User{}, err
	}
	defer unlock()
	kept, err := a.loadCode(ctx, c)
	if err != nil {
		return User{}, err
	}
	left := kept.ExpiresAt - a.now().Unix()
	if left <= 0 {
		return User{}, errors.Join(ErrCodeExpired, a.forgetCode(ctx, c, kept))
	}
	o.Scopes, o.Reauth, o.ACR = kept.ExtraScopes, kept.Reauth, kept.ACR
	p, o, err := a.prepare(ctx, c, o)
	if err != nil {
		return User{}, err
	}
	s := a.newSignIn(p, c, o, asked{scopes: kept.Scopes, reauth: kept.Reauth, acr: kept.ACR})
	s.began = time.Unix(kept.BeganAt, 0)
	user, err := s.finishCode(ctx, &deviceAnswer{DeviceCode: kept.DeviceCode, expiresIn: left, pollEvery: kept.PollEvery})
	if err != nil && ctx.Err() != nil {
		return User{}, err // the code may still be entered
	}
	if errors.As(err, new(*TimeoutError)) {
		err = ErrCodeExpired
	}
	if gone := a.forgetCode(ctx, c, kept); gone != nil {
		s.Warn(gone.Error())
	}
	return user, err
}

// HasCode reports whether a sign-in with a code was begun and can still be finished.
func (a *Accounts) HasCode(ctx context.Context, c Client) bool {
	kept, err := a.loadCode(ctx, c)
	return err == nil && kept.ExpiresAt > a.now().Unix()
}

// loadCode reads what BeginDevice has kept. As with a sign-in, it is of use only
// for the provider and client that it was stored for.
func (a *Accounts) loadCode(ctx context.Context, c Client) (pendingCode, error) {
	text, err := a.store.Get(ctx, c.codeKey())
	if errors.Is(err, keychain.ErrNotFound) {
		return pendingCode{}, ErrNoCode
	}
	if err != nil {
		return pendingCode{}, fmt.Errorf("reading the code: %w", err)
	}
	var kept pendingCode
	if json.Unmarshal([]byte(text.Reveal()), &kept) != nil || kept.Version != recordVersion ||
		kept.Issuer != c.Issuer || kept.ClientID != c.ClientID || kept.DeviceCode == "" {
		return pendingCode{}, ErrNoCode
	}
	return kept, nil
}

// forgetCode deletes a code, unless another was begun meanwhile.
func (a *Accounts) forgetCode(ctx context.Context, c Client, used pendingCode) error {
	if now, err := a.loadCode(ctx, c); err == nil && now.DeviceCode != used.DeviceCode {
		return nil
	}
	if err := a.store.Delete(ctx, c.codeKey()); err != nil {
		return fmt.Errorf("deleting the used code: %w", err)
	}
	return nil
}
