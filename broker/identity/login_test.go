package identity

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain"
)

func ada(w *world) User {
	return User{
		Sub: "ada", UserID: "ada", Email: "ada@example.com", Name: "Ada Lovelace",
		GivenName: "Ada", FamilyName: "Lovelace", PreferredUsername: "ada",
		Groups: []string{"engineering", "admins"}, Roles: []string{"analyst"},
		Scopes: []string{"openid", "profile", "email", "offline_access"},
		Issuer: w.idp.Issuer(), Audience: []string{demoidp.DefaultClientID},
		ClientID: demoidp.DefaultClientID, Profile: "test",
		EmailCounts: true, Claimed: Claimed{Email: "ada@example.com", EmailVerified: "true"},
	}
}

var ignoreTimes = cmpopts.IgnoreFields(User{}, "AuthTime", "ExpiresAt")

// pressContinue is a person who reads the provider's page and decides.
func (b *browser) pressContinue(user string) func(context.Context, string) error {
	return func(_ context.Context, page string) error {
		target := b.enter(page)
		b.urls <- target
		go func() {
			consent := b.visit(http.MethodGet, target, nil)
			form := url.Values{"user": {user}}
			for _, field := range regexp.MustCompile(`name="request" value="([^"]*)"`).FindAllStringSubmatch(consent.body, 1) {
				form.Set("request", strings.ReplaceAll(field[1], "&amp;", "&"))
			}
			origin := target[:strings.Index(target, "/authorize")]
			b.pages <- b.visit(http.MethodPost, origin+"/authorize/decision", form)
		}()
		return nil
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	ui := w.ui()
	var shownURL, openedURL string
	ui.OpenURL = func(ctx context.Context, page string) error {
		openedURL = page
		return w.browser.pressContinue("ada")(ctx, page)
	}
	ui.ShowURL = func(u string, opened bool) {
		if opened {
			shownURL = u
		}
	}
	before := w.clock.now().Add(-time.Second)
	user, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: ui})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ada(w), user, ignoreTimes); diff != "" {
		t.Error(diff)
	}
	if ends := time.Unix(user.ExpiresAt, 0); ends.Sub(before) < 59*time.Minute || user.AuthTime < before.Unix() {
		t.Errorf("expires_at %v, auth_time %d", ends, user.AuthTime)
	}
	page := receive(t, w.browser.pages)
	wantPage(t, page, http.StatusOK, "You are signed in to test as <strong>ada@example.com</strong>.")
	if !strings.Contains(page.body, "You can close this tab") {
		t.Error(page.body)
	}
	rec := w.stored(t)
	if !w.idp.Active(rec.access.Reveal()) || !w.idp.Active(rec.refresh.Reveal()) {
		t.Error("what is stored are not the provider's tokens")
	}
	if diff := cmp.Diff(user, rec.user); diff != "" {
		t.Error("stored user:", diff)
	}
	if shownURL == openedURL || strings.Contains(shownURL+openedURL, "state") {
		t.Errorf("shown %s, opened %s", shownURL, openedURL)
	}
	status, err := w.accounts.Status(t.Context(), w.client)
	if err != nil || status.State != SignedIn || !status.HasRefreshToken || status.StoredIn != w.store.Name() ||
		status.SignedInAt.Before(before) || status.ExpiresAt.Unix() != user.ExpiresAt {
		t.Errorf("status %+v, %v", status, err)
	}
}

// The authorization request is checked here where the provider cannot.
func TestAuthorizationRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.client.Audience, w.client.Resource = "https://api.example.com", "https://mcp.example.com/x"
	var asked [2]url.Values
	for i := range asked {
		if _, _, err := w.login(t); err != nil {
			t.Fatal(err)
		}
		opened, err := url.Parse(receive(t, w.browser.urls))
		if err != nil {
			t.Fatal(err)
		}
		asked[i] = opened.Query()
	}
	for name, want := range map[string]string{
		"response_type": "code", "client_id": demoidp.DefaultClientID, "code_challenge_method": "S256",
		"scope": "openid profile email offline_access", "audience": "https://api.example.com",
		"resource": "https://mcp.example.com/x", "response_mode": "", "prompt": "consent",
	} {
		if got := asked[0].Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if a, b := asked[0].Get(name), asked[1].Get(name); len(a) != 43 || a == b {
			t.Errorf("%s is %q and then %q, want 256 new bits each time", name, a, b)
		}
	}
}

func TestLoginAsConfidentialClient(t *testing.T) {
	t.Parallel()
	const secret = "CANARY-s%cret+/: é"
	for _, method := range []string{"client_secret_basic", "client_secret_post", ""} {
		t.Run("method "+method, func(t *testing.T) {
			t.Parallel()
			o := signsInAlone()
			o.Clients = []demoidp.Client{{ID: "web app", Secret: secret}}
			w := newWorld(t, o)
			w.client.ClientID = "web app"
			w.client.ClientSecret = keychain.NewSecret(secret)
			w.idp.SetFault(fails("discovery", always, demoidp.Fault{Edit: func(doc map[string]any) {
				delete(doc, "token_endpoint_auth_methods_supported")
				if method != "" {
					doc["token_endpoint_auth_methods_supported"] = []string{"private_key_jwt", method}
				}
			}}))
			if _, _, err := w.login(t); err != nil {
				t.Fatal(err)
			}
			if n := w.idp.Count("authorization_code"); n != 1 {
				t.Errorf("%d token requests, want 1", n)
			}
		})
	}
}

func TestOfflineAccessWhereItIsUnknown(t *testing.T) {
	t.Parallel()
	o := signsInAlone()
	o.RejectScopes = []string{"offline_access"} // as Google
	w := newWorld(t, o)
	w.signedIn(t)
	if w.stored(t).refresh.IsZero() {
		t.Error("no refresh token, though access_type=offline gives one")
	}
	w.client.Scopes = []string{"openid", "offline_access"} // the person's own choice is not second-guessed
	_, _, err := w.login(t)
	if refused := wantError[*ProviderError](t, err); refused.Code != "invalid_scope" {
		t.Error(refused)
	}
}

func TestUserinfo(t *testing.T) {
	t.Parallel()
	slim := signsInAlone()
	slim.SlimIDToken = true
	t.Run("merged", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, slim)
		if diff := cmp.Diff(ada(w), w.signedIn(t), ignoreTimes); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("the ID token wins", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, signsInAlone())
		w.idp.SetFault(func(endpoint string) demoidp.Fault {
			return demoidp.Fault{Edit: map[string]func(map[string]any){
				"id_token": func(c map[string]any) { delete(c, "name"); c["groups"] = "single" },
				"userinfo": func(c map[string]any) {
					c["email"], c["name"], c["groups"] = "eve@example.com", "A. L.", []string{"root"}
				},
			}[endpoint]}
		})
		want := ada(w)
		want.Name, want.Groups = "A. L.", []string{"single"}
		if diff := cmp.Diff(want, w.signedIn(t), ignoreTimes); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("about somebody else is refused", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, slim)
		w.idp.SetFault(fails("userinfo", always, demoidp.Fault{Edit: func(c map[string]any) { c["sub"] = "eve" }}))
		_, page, err := w.login(t)
		if verify := wantError[*VerifyError](t, err); verify.What != "userinfo" {
			t.Error(verify)
		}
		wantPage(t, page, http.StatusBadRequest, "did not stand up to a check")
		w.wantNothingStored(t)
	})
	t.Run("out of order costs its claims only", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, slim)
		w.idp.SetFault(fails("userinfo", always, demoidp.Fault{Status: 503, Body: "CANARY-body"}))
		user := w.signedIn(t)
		if user.Sub != "ada" || user.Email != "" || len(w.warnings) != 1 {
			t.Errorf("%+v, warned %q", user, w.warnings)
		}
	})
	t.Run("unverified email is no verified claim", func(t *testing.T) {
		t.Parallel()
		for _, unverified := range []any{false, "false"} {
			w := newWorld(t, signsInAlone())
			w.idp.SetFault(fails("id_token", always, demoidp.Fault{Edit: func(c map[string]any) { c["email_verified"] = unverified }}))
			if user := w.signedIn(t); user.Email != "" {
				t.Errorf("email %q with email_verified %v", user.Email, unverified)
			}
		}
	})
}

// A backend that is written in a language with null must never see one.
func TestUserJSONHasListsAndNoNull(t *testing.T) {
	t.Parallel()
	o := signsInAlone()
	o.Users = []demoidp.User{{Sub: "bare"}}
	w := newWorld(t, o)
	w.signedIn(t)
	text, err := json.Marshal(w.stored(t).user)
	if err != nil || strings.Contains(string(text), "null") || !strings.Contains(string(text), `"groups":[]`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestScopesAreThoseGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.idp.SetFault(fails("authorization_code", always, demoidp.Fault{Edit: func(doc map[string]any) { doc["scope"] = "openid  email" }}))
	if diff := cmp.Diff([]string{"openid", "email"}, w.signedIn(t).Scopes); diff != "" {
		t.Error(diff)
	}
	w.idp.SetFault(fails("authorization_code", always, demoidp.Fault{Edit: func(doc map[string]any) { delete(doc, "scope") }}))
	user, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: w.ui(), Scopes: []string{"groups", "email"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"openid", "profile", "email", "offline_access", "groups"}, user.Scopes); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	ui := w.ui()
	ui.OpenURL = w.browser.pressContinue("")
	_, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: ui})
	wantError[*ConsentRefusedError](t, err)
	wantPage(t, receive(t, w.browser.pages), http.StatusBadRequest, "said no")
	w.wantNothingStored(t)
}

// RFC 9207: the answer is judged before the code is used, and what a foreign
// issuer says is not shown.
func TestMixUp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		noIss  bool
		edit   func(map[string]any)
		wantIn bool
	}{
		{"promised and there", false, func(map[string]any) {}, true},
		{"not promised and absent", true, func(map[string]any) {}, true},
		{"promised and absent", false, func(p map[string]any) { delete(p, "iss") }, false},
		{"promised and foreign", false, func(p map[string]any) { p["iss"] = "https://evil.example" }, false},
		{"promised and normalised", false, func(p map[string]any) { p["iss"] = p["iss"].(string) + "/" }, false},
		{"not promised and foreign", true, func(p map[string]any) { p["iss"] = "https://evil.example" }, false},
		{"not promised and empty", true, func(p map[string]any) { p["iss"] = "" }, false},
		{"foreign error", false, func(p map[string]any) {
			p["iss"], p["error"], p["error_description"] = "https://evil.example", "access_denied", "call 555-0100"
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := signsInAlone()
			o.NoIss = test.noIss
			w := newWorld(t, o)
			w.idp.SetFault(fails("authorize", always, demoidp.Fault{Edit: test.edit}))
			_, page, err := w.login(t)
			if test.wantIn {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if verify := wantError[*VerifyError](t, err); verify.What != answerToSignIn || strings.Contains(err.Error(), "555") {
				t.Error(verify)
			}
			wantPage(t, page, http.StatusBadRequest, "does not belong to this login")
			if n := w.idp.Count("authorization_code"); n != 0 {
				t.Errorf("the code went out %d times", n)
			}
			w.wantNothingStored(t)
		})
	}
}

func TestErrorTextOfTheProviderIsCleaned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.idp.SetFault(fails("authorize", always, demoidp.Fault{Edit: func(p map[string]any) {
		delete(p, "code")
		p["error"] = "server_\x1b[31merror<script>"
		p["error_description"] = "a\x1b]0;b\u202ec\r\nd state=" + p["state"].(string) + strings.Repeat("x", 500)
	}}))
	_, page, err := w.login(t)
	refused := wantError[*ProviderError](t, err)
	if refused.Code != "server_[31merror<script>" || !strings.HasPrefix(refused.Description, `a\u{1B}]0;b\u{202E}c d state=[redacted]x`) ||
		len([]rune(refused.Description)) > maxDescription+1 {
		t.Errorf("%q %q", refused.Code, refused.Description)
	}
	wantPage(t, page, http.StatusBadRequest, "server_[31merror&lt;script&gt;")
}

func TestKeychainThatFailsAtTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.store.setFails.Store(&keychain.Error{Op: "set", Kind: keychain.Locked})
	_, page, err := w.login(t)
	if failure := wantError[*keychain.Error](t, err); failure.Kind != keychain.Locked {
		t.Error(failure)
	}
	wantPage(t, page, http.StatusInternalServerError, "could not be saved to the keychain")
	w.wantNothingStored(t)
	if n := w.idp.Count("revocation"); n != 2 {
		t.Errorf("%d tokens were given back, want both", n)
	}
}

func TestFailedLoginLeavesTheOldOneWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	old, before := w.stored(t), w.accounts.files(w.client).Generation()
	w.idp.SetFault(fails("id_token", always, demoidp.Fault{Signature: demoidp.AlgNone}))
	_, _, err := w.login(t)
	wantError[*VerifyError](t, err)
	if !w.stored(t).sameTokens(old) || w.accounts.files(w.client).Generation() != before {
		t.Error("a failed sign-in has touched the stored one")
	}
	if n := w.idp.Count("revocation"); n != 0 {
		t.Errorf("%d tokens were given back, which ends the stored sign-in at many providers", n)
	}
}

func TestUnwritableStateFolderStoresNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.accounts = w.machine(t, filepath.Join(blocked, "state"))
	if _, _, err := w.login(t); err == nil {
		t.Error("signed in without a lock")
	}
	w.wantNothingStored(t)
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{}) // shows a page, and nobody presses a button
	_, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: w.ui(), Timeout: 100 * time.Millisecond})
	if timeout := wantError[*TimeoutError](t, err); timeout.After != 100*time.Millisecond {
		t.Error(timeout)
	}
	receive(t, w.browser.pages)
}

func TestTimeoutWhileTheProviderHangs(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"discovery", "authorization_code", "jwks"} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.idp.SetFault(fails(endpoint, always, demoidp.Fault{Wait: make(chan struct{})}))
			_, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: w.ui(), Timeout: 300 * time.Millisecond})
			wantError[*TimeoutError](t, err)
			if endpoint != "discovery" {
				wantPage(t, receive(t, w.browser.pages), http.StatusBadRequest, "used before or has expired")
			}
			w.wantNothingStored(t)
		})
	}
}

func TestCancelWorksAtOnceAndFreesThePort(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	ui := w.ui()
	ui.OpenURL = func(_ context.Context, target string) error {
		w.browser.urls <- target
		cancel()
		return nil
	}
	start := time.Now()
	_, err := w.accounts.Login(ctx, w.client, LoginOptions{UI: ui})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %s", took)
	}
	opened, err := url.Parse(receive(t, w.browser.urls))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", opened.Host)
	if err != nil {
		t.Fatal("the port is still taken:", err)
	}
	_ = listener.Close()
}

// A browser that cannot be opened is no end: the person gets the address.
func TestBrowserThatDoesNotOpen(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(context.Context, string) error{
		"none":   nil,
		"broken": func(context.Context, string) error { return errors.New("no display") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			ui := w.ui()
			ui.OpenURL = open
			ui.ShowURL = func(target string, opened bool) {
				if opened {
					t.Error("said to be open")
				}
				_ = w.browser.open(t.Context(), target)
			}
			if _, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: ui}); err != nil {
				t.Fatal(err)
			}
			wantPage(t, receive(t, w.browser.pages), http.StatusOK, "You are signed in")
		})
	}
}
