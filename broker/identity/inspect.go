package identity

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity/loopback"
)

// Inspection is what a provider says of itself, as far as a person who looks for
// a mistake wants to know it.
type Inspection struct {
	// ClockAhead is how far the provider's clock is ahead of this machine's; it is
	// right to a second or two. Known says whether the provider told the time.
	ClockAhead time.Duration
	ClockKnown bool
	// ListsS256 says that the provider lists PKCE with S256. One that lists no
	// methods may still check it; one that lists others only is an error.
	ListsS256     bool
	HasDevice     bool // it offers the sign-in with a code on another device
	HasRevocation bool // it can be told of a logout
	Took          time.Duration
}

// ClockLeeway is how far the clocks of this machine and of a provider may differ
// before ID tokens are refused.
const ClockLeeway = tokenLeeway

// Inspect asks the provider of the client for its metadata and judges it as a
// sign-in does, with the same errors. The clock is known even after an error, if
// the provider answered at all.
func (a *Accounts) Inspect(ctx context.Context, c Client) (Inspection, error) {
	began := time.Now()
	clock := &clockReader{base: a.roundTripper, now: a.now}
	p, err := discover(ctx, c, clock, a.now)
	i := Inspection{ClockAhead: clock.ahead, ClockKnown: clock.known, Took: time.Since(began)}
	if err != nil {
		return i, err
	}
	i.ListsS256 = slices.Contains(p.ChallengeMethods, "S256")
	i.HasDevice = p.DeviceEndpoint != ""
	i.HasRevocation = p.RevocationEndpoint != ""
	return i, nil
}

// clockReader notes the time that answers tell. It serves one request at a time.
type clockReader struct {
	base  http.RoundTripper
	now   func() time.Time
	ahead time.Duration
	known bool
}

func (r *clockReader) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.base.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		age, _ := strconv.Atoi(response.Header.Get("Age")) // seconds in a cache on the way; mostly none
		r.ahead, r.known = date.Add(time.Duration(age)*time.Second).Sub(r.now()), true
	}
	return response, nil
}

// RedirectState is one redirect URI and whether this machine can listen for it.
type RedirectState struct {
	URI  string // as it must be registered at the provider
	Any  bool   // any port will do
	Free bool   // the port can be taken now
	Addr string // the address that is in use, when it is not free
}

// Redirects tells of the redirect URIs of a client. The error is *[ClientError].
func Redirects(c Client) ([]RedirectState, error) {
	parsed, err := parseRedirects(c.RedirectURIs)
	if err != nil {
		return nil, err
	}
	states := make([]RedirectState, 0, len(parsed))
	for _, r := range parsed {
		state := RedirectState{URI: r.Registered(), Any: r.AnyPort()}
		_, release, err := r.Settle()
		if err == nil {
			release()
		}
		var busy *loopback.BusyError
		if errors.As(err, &busy) {
			state.Addr = busy.Addr
		}
		state.Free = err == nil
		states = append(states, state)
	}
	return states, nil
}
