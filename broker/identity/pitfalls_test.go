package identity

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/broker/identity/loopback"
)

// The pitfalls of oauth2cli that reference/oauth.md 1.3 lists, by its numbers.
// Each attack comes from the loopback side while the sign-in waits, and the
// right answer after it must still be taken.

// attacked signs in with attack run at the moment before the browser follows
// the provider's redirect to callback.
func attacked(t *testing.T, attack func(w *world, callback *url.URL)) {
	t.Helper()
	w := newWorld(t, signsInAlone())
	ran := false
	w.browser.atCallback = func(callback *url.URL) { ran = true; attack(w, callback) }
	_, page, err := w.login(t)
	if err != nil {
		t.Fatal(err)
	}
	if !ran {
		t.Fatal("there was no attack")
	}
	wantPage(t, page, http.StatusOK, "You are signed in")
}

// get is a request of somebody who is not the person's browser.
func get(t *testing.T, target string, change ...func(*http.Request)) shown {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(r)
	}
	stranger := &browser{client: &http.Client{
		Timeout:       soon,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	return stranger.do(r)
}

func with(callback *url.URL, query url.Values) string {
	changed := *callback
	changed.RawQuery = query.Encode()
	return changed.String()
}

func TestPitfall01StrayErrorDoesNotEndTheLogin(t *testing.T) {
	t.Parallel()
	attacked(t, func(_ *world, callback *url.URL) {
		page := get(t, with(callback, url.Values{"error": {"drive_by"}, "error_description": {"<script>alert(1)</script>"}}))
		wantPage(t, page, http.StatusBadRequest, "does not belong to this login")
		if strings.Contains(page.body, "script") || strings.Contains(page.body, "drive_by") {
			t.Error("the request is repeated in the page:", page.body)
		}
	})
}

func TestPitfall02WrongStateDoesNotEndTheLogin(t *testing.T) {
	t.Parallel()
	attacked(t, func(_ *world, callback *url.URL) {
		right := callback.Query().Get("state")
		for i := range 100 {
			page := get(t, with(callback, url.Values{"code": {"x"}, "state": {fmt.Sprint("wrong", i)}}))
			wantPage(t, page, http.StatusBadRequest, "does not belong to this login")
			if strings.Contains(page.body, right) {
				t.Fatal("the page tells the right state")
			}
		}
		for _, query := range []string{"", "code=x", "state=&code=x", "state=" + right, "state=" + right + "&code=",
			"state=" + right + "&code=x&code=y", "state=" + right + "&state=" + right + "&code=x", "state=" + right + "&code=x;y=%zz"} {
			wantPage(t, get(t, "http://"+callback.Host+callback.Path+"?"+query), http.StatusBadRequest, "does not belong")
		}
	})
}

func TestPitfall03NoIndexPage(t *testing.T) {
	t.Parallel()
	attacked(t, func(_ *world, callback *url.URL) {
		for _, path := range []string{"/", "//", "/callback/", "/Callback", "/callback/..", "/%63allback", "/favicon.ico"} {
			page := get(t, "http://"+callback.Host+path)
			if page.status != http.StatusNotFound || page.header.Get("Location") != "" {
				t.Errorf("%s: %d to %q", path, page.status, page.header.Get("Location"))
			}
		}
	})
}

func TestPitfall04NoPageBeforeTheTokensAreStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	goOn := make(chan struct{})
	w.idp.SetFault(fails("authorization_code", always, demoidp.Fault{Wait: goOn}))
	done := make(chan error, 1)
	go func() {
		_, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: w.ui()})
		done <- err
	}()
	eventually(t, "the exchange", func() bool { return w.idp.Count("authorization_code") == 1 })
	select {
	case page := <-w.browser.pages:
		t.Errorf("the browser saw %q while the code was being exchanged", page.body)
	case <-time.After(50 * time.Millisecond):
	}
	close(goOn)
	page := receive(t, w.browser.pages)
	wantPage(t, page, http.StatusOK, "You are signed in")
	w.stored(t) // the page came after this
	if err := receive(t, done); err != nil {
		t.Fatal(err)
	}
}

func TestPitfall04FailedExchangeIsNoSuccessPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.browser.atCallback = func(callback *url.URL) { w.clock.advance(2 * time.Minute) } // the code expires
	_, page, err := w.login(t)
	if refused := wantError[*ProviderError](t, err); refused.Code != "invalid_grant" || refused.Step != "token" {
		t.Error(refused)
	}
	wantPage(t, page, http.StatusBadRequest, "invalid_grant")
	w.wantNothingStored(t)
}

func TestPitfall05BlockingBrowserDoesNotHangTheLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	ui := w.ui()
	ui.OpenURL = func(ctx context.Context, target string) error { // as lynx, or firefox in the foreground
		_ = w.browser.open(ctx, target)
		<-ctx.Done()
		return ctx.Err()
	}
	if _, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: ui, Timeout: 2 * soon}); err != nil {
		t.Fatal(err)
	}
	wantPage(t, receive(t, w.browser.pages), http.StatusOK, "You are signed in")
}

func occupied(t *testing.T, address string) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	_, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestPitfall06BusyPortIsToldAndTheNextTried(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	busy := "127.0.0.1:" + occupied(t, "127.0.0.1:0")
	w.client.RedirectURIs = []string{"http://" + busy + "/callback"}
	_, _, err := w.login(t)
	if ports := wantError[*PortsBusyError](t, err); len(ports.Addrs) != 1 || ports.Addrs[0] != busy {
		t.Error(ports)
	}
	if len(w.browser.urls) != 0 {
		t.Error("the browser was opened without a listener")
	}
	w.client.RedirectURIs = append(w.client.RedirectURIs, "http://127.0.0.1/callback")
	w.signedIn(t)
}

// Between settle and oauth2cli's own Listen somebody else may take the port.
func TestPitfall06PortStolenBeforeTheListener(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	p, err := w.accounts.discover(t.Context(), w.client)
	if err != nil {
		t.Fatal(err)
	}
	s := &signIn{accounts: w.accounts, provider: p, client: w.client, options: LoginOptions{UI: w.ui()}, state: random()}
	r, err := loopback.ParseRedirect("http://127.0.0.1:" + occupied(t, "127.0.0.1:0") + "/callback")
	if err != nil {
		t.Fatal(err)
	}
	flow := &codeFlow{signIn: s}
	err = flow.receive(t.Context(), loopback.NewListener(r, w.idp.Issuer(), flow), &url.URL{})
	wantError[*loopback.BusyError](t, err)
}

// A redirect URI with any port gets another port then.
func TestPitfall06AnotherPortForTheOneThatWasStolen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	stolen := 0
	w.accounts.testOnlySettled = func(r loopback.Redirect) {
		if stolen++; stolen <= 2 {
			occupied(t, strings.TrimSuffix(strings.TrimPrefix(r.URI(), "http://"), "/callback"))
		}
	}
	w.signedIn(t)
	if stolen != 3 {
		t.Errorf("%d ports were chosen, want 3", stolen)
	}
}

func TestPitfall07PathOfTheRedirectURI(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/", "/oauth/callback"} {
		t.Run("path "+path, func(t *testing.T) {
			t.Parallel()
			o := signsInAlone()
			o.Clients = []demoidp.Client{{ID: demoidp.DefaultClientID, RedirectURIs: []string{"http://127.0.0.1" + path}}}
			w := newWorld(t, o)
			w.client.RedirectURIs = []string{"http://127.0.0.1" + path}
			w.signedIn(t)
		})
	}
}

func TestPitfall08PostIsRefusedAndNeverAskedFor(t *testing.T) {
	t.Parallel()
	attacked(t, func(w *world, callback *url.URL) { // that it is not asked for, see TestAuthorizationRequest
		for _, method := range []string{http.MethodPost, http.MethodHead, http.MethodOptions, "X"} {
			page := get(t, callback.String(), func(r *http.Request) { r.Method = method })
			if page.status != http.StatusMethodNotAllowed {
				t.Errorf("%s: %d", method, page.status)
			}
		}
	})
}

func TestPitfall09LoopbackLiteralByDefault(t *testing.T) {
	t.Parallel()
	attacked(t, func(_ *world, callback *url.URL) {
		if callback.Hostname() != "127.0.0.1" {
			t.Error("redirected to", callback.Host)
		}
		for _, host := range []string{"localhost:" + callback.Port(), "evil.example", "127.0.0.1", "127.0.0.1:1"} {
			page := get(t, callback.String(), func(r *http.Request) { r.Host = host }) // DNS rebinding
			if page.status != http.StatusMisdirectedRequest {
				t.Errorf("Host %s: %d", host, page.status)
			}
		}
	})
}

func TestPitfall09LocalhostIsHeldOnIPv6(t *testing.T) {
	t.Parallel()
	o := signsInAlone()
	o.ExactPorts = true
	port := fixedPort(t)
	o.Clients = []demoidp.Client{{ID: demoidp.DefaultClientID, RedirectURIs: []string{"http://localhost:" + port + "/oauth/callback"}}}
	w := newWorld(t, o)
	w.client.RedirectURIs = o.Clients[0].RedirectURIs
	v6 := net.JoinHostPort("::1", port)
	w.browser.atCallback = func(callback *url.URL) {
		if callback.Hostname() != "localhost" {
			t.Error("redirected to", callback.Host)
		}
		if thief, err := net.Listen("tcp", v6); err == nil {
			_ = thief.Close()
			t.Error("another program can have", v6)
		}
		if conn, err := net.DialTimeout("tcp", v6, soon); err == nil {
			_ = conn.Close()
			t.Error("something answers on", v6)
		}
	}
	w.signedIn(t)
}

func TestPitfall09ThiefOnIPv6MakesThePortBusy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	thief, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return // a machine without IPv6 has no such thief
	}
	defer func() { _ = thief.Close() }()
	_, port, _ := net.SplitHostPort(thief.Addr().String())
	w.client.RedirectURIs = []string{"http://localhost:" + port + "/callback"}
	_, _, err = w.login(t)
	if ports := wantError[*PortsBusyError](t, err); ports.Addrs[0] != "[::1]:"+port {
		t.Error(ports)
	}
}

// fixedPort is a free port that the system gives to no other test: it is below those
// that connections and listeners on port 0 get.
func fixedPort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20_000 + rand.N(10_000))
		if listener, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = listener.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

func TestPitfall10OneTokenRequestAfterOne503(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.idp.SetFault(fails("authorization_code", 1, demoidp.Fault{Status: 503, Body: "CANARY-body"}))
	_, _, err := w.login(t)
	wantError[*UnreachableError](t, err)
	if n := w.idp.Count("authorization_code"); n != 1 {
		t.Errorf("the code went out %d times, want 1", n)
	}
	// For the refresh token see TestRefreshTroubleKeepsEverything.
}

func TestPitfall11UsedLinkThroughHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	var callback string
	w.browser.atCallback = func(u *url.URL) { callback = u.String() }
	w.signedIn(t)
	if page := get(t, callback); page.err == nil {
		t.Error("the listener is still there, and answers", page.status)
	}
	if n := w.idp.Count("authorization_code"); n != 1 {
		t.Errorf("the code went out %d times", n)
	}
}

func TestPitfall12CallbackInFlightWhenTheLoginIsCalledOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	ctx, cancel := context.WithCancel(t.Context())
	w.browser.atCallback = func(*url.URL) { cancel() }
	_, err := w.accounts.Login(ctx, w.client, LoginOptions{UI: w.ui()})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	receive(t, w.browser.pages)
	w.wantNothingStored(t)
}

func TestPitfall13ProviderBodyIsNotPrinted(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]demoidp.Fault{
		"JSON without error": {Status: 400, Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"x":"CANARY-body"}`},
		"HTML":               {Status: 400, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<b>CANARY-body</b>"},
		"HTML, 200":          {Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<b>CANARY-body</b>"},
		"no access_token":    {Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"id_token":"CANARY-body"}`},
		"redirect":           {Status: 307, Header: http.Header{"Location": {"http://127.0.0.1:1/CANARY-body"}}},
		"connection cut":     {Lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone()) // whose canary looks for the body in every text
			w.idp.SetFault(fails("authorization_code", always, fault))
			_, _, err := w.login(t)
			wantError[*UnreachableError](t, err)
			if n := w.idp.Count("authorization_code"); n != 1 {
				t.Errorf("the code went out %d times", n)
			}
			w.wantNothingStored(t)
		})
	}
}

// A provider that repeats the code it rejects must not get it into our text.
func TestPitfall13RejectedCodeIsRedacted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	var code string
	w.browser.atCallback = func(u *url.URL) { code = u.Query().Get("code") }
	w.idp.SetFault(func(endpoint string) demoidp.Fault {
		if endpoint != "authorization_code" {
			return demoidp.Fault{}
		}
		return demoidp.Fault{Status: 400, Header: http.Header{"Content-Type": {"application/json"}},
			Body: `{"error":"invalid_grant","error_description":"bad code ` + code + `"}`}
	})
	_, _, err := w.login(t)
	if refused := wantError[*ProviderError](t, err); refused.Description != "bad code [redacted]" {
		t.Error(refused)
	}
}

func TestSecurityHeadersOfEveryPage(t *testing.T) {
	t.Parallel()
	check := func(page shown) {
		t.Helper()
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := page.header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if csp := page.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") {
			t.Error(csp)
		}
	}
	w := newWorld(t, signsInAlone())
	w.browser.atCallback = func(callback *url.URL) { check(get(t, with(callback, url.Values{}))) }
	_, page, err := w.login(t)
	if err != nil {
		t.Fatal(err)
	}
	check(page)
}
