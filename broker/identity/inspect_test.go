package identity

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// What the doctor hears of a provider: what it offers, and its clock, which is known
// even if the rest is of no use.
func TestInspect(t *testing.T) {
	w := newWorld(t, signsInAlone())
	i, err := w.accounts.Inspect(t.Context(), w.client)
	if err != nil || !i.ClockKnown || i.ClockAhead.Abs() > 5*time.Second || !i.ListsS256 || !i.HasDevice || !i.HasRevocation {
		t.Errorf("%+v, %v", i, err)
	}
	w.accounts.now = func() time.Time { return time.Now().Add(10 * time.Minute) }
	w.idp.SetFault(fails("discovery", 100, demoidp.Fault{Edit: func(m map[string]any) {
		m["issuer"] = "https://elsewhere.example"
	}}))
	i, err = w.accounts.Inspect(t.Context(), w.client)
	wantError[*IssuerMismatchError](t, err)
	if off := i.ClockAhead + 10*time.Minute; !i.ClockKnown || off.Abs() > 5*time.Second {
		t.Errorf("the provider's clock is %s ahead of one that goes 10 minutes fast", i.ClockAhead)
	}
	w.idp.SetFault(fails("discovery", 100, demoidp.Fault{Edit: func(m map[string]any) {
		delete(m, "code_challenge_methods_supported")
	}}))
	if i, err = w.accounts.Inspect(t.Context(), w.client); err != nil || i.ListsS256 {
		t.Errorf("%+v, %v", i, err)
	}
	w.accounts.now = time.Now
	for age, ahead := range map[string]time.Duration{"": -30 * time.Minute, "1800": 0, "x": -30 * time.Minute} {
		header := http.Header{"Date": {time.Now().Add(-30 * time.Minute).UTC().Format(http.TimeFormat)}}
		if age != "" { // an answer out of a cache is as old as it says
			header.Set("Age", age)
		}
		w.idp.SetFault(fails("discovery", 100, demoidp.Fault{Status: 503, Header: header}))
		i, err = w.accounts.Inspect(t.Context(), w.client)
		if off := i.ClockAhead - ahead; err == nil || !i.ClockKnown || off.Abs() > 5*time.Second {
			t.Errorf("age %q: the provider's clock is %s ahead, want %s; %v", age, i.ClockAhead, ahead, err)
		}
	}
	nobody := w.client
	nobody.Issuer = "http://127.0.0.1:1"
	i, err = w.accounts.Inspect(t.Context(), nobody)
	wantError[*UnreachableError](t, err)
	if i.ClockKnown {
		t.Error("the clock of nobody is known")
	}
}

func TestRedirects(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy := taken.Addr().String()
	states, err := Redirects(Client{RedirectURIs: []string{"http://" + busy + "/callback", "http://127.0.0.1/callback", "http://[::1]:0/x"}})
	if err != nil {
		t.Fatal(err)
	}
	states[2].Free = true // where there is IPv6
	states[2].Addr = ""
	want := []RedirectState{
		{URI: "http://" + busy + "/callback", Addr: busy},
		{URI: "http://127.0.0.1/callback", Any: true, Free: true},
		{URI: "http://[::1]/x", Any: true, Free: true},
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, s := range states {
		if _, err := url.Parse(s.URI); err != nil {
			t.Error(err)
		}
	}
	_, err = Redirects(Client{RedirectURIs: []string{"https://example.com/callback"}})
	if !errors.As(err, new(*ClientError)) {
		t.Errorf("%v", err)
	}
}
