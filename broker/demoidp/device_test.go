package demoidp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// poll asks once for the tokens of a device code and gives the error code.
func (c *relyingParty) poll(t *testing.T, deviceCode string) string {
	t.Helper()
	form := url.Values{
		"grant_type":  {"urn:ietf:params:oauth:grant-type:device_code"},
		"device_code": {deviceCode},
		"client_id":   {c.ClientID},
	}
	_, _, body := fetch(t, http.MethodPost, c.server.Issuer()+"/token", form)
	_, rest, found := strings.Cut(body, `"error":"`)
	if !found {
		return ""
	}
	code, _, _ := strings.Cut(rest, `"`)
	return code
}

func TestDevicePolling(t *testing.T) {
	clock := newClock()
	c := newClient(t, start(t, demoidp.Options{Now: clock.now}))
	begin := func() (deviceCode, userCode string) {
		answer := c.postTo(t, "/device_authorization", http.StatusOK, url.Values{"scope": {"openid offline_access"}})
		if answer["interval"] != 5.0 || answer["expires_in"] != 600.0 {
			t.Errorf("interval %v, expires_in %v", answer["interval"], answer["expires_in"])
		}
		return answer["device_code"].(string), answer["user_code"].(string)
	}
	expect := func(code, want string) {
		t.Helper()
		if got := c.poll(t, code); got != want {
			t.Errorf("poll answers %q, want %q", got, want)
		}
	}

	code, userCode := begin()
	expect(code, "authorization_pending")
	expect(code, "slow_down")
	clock.add(5 * time.Second)
	expect(code, "slow_down") // the interval is 10 s by now, and 15 s from here
	clock.add(15 * time.Second)
	expect(code, "authorization_pending")
	clock.add(15 * time.Second)
	if !c.server.DecideDevice(strings.ToLower(userCode), "ada") {
		t.Fatal("the user code is not known")
	}
	if c.server.DecideDevice(userCode, "ada") {
		t.Error("a user code works twice")
	}
	expect(code, "")
	expect(code, "invalid_grant")

	code, userCode = begin()
	c.server.DecideDevice(userCode, "")
	expect(code, "access_denied")

	code, userCode = begin()
	clock.add(10 * time.Minute)
	expect(code, "expired_token")
	if c.server.DecideDevice(userCode, "ada") {
		t.Error("an expired code can be approved")
	}
	expect("CANARY-guess", "invalid_grant")
}

func TestDevicePage(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{}))
	answer := c.postTo(t, "/device_authorization", http.StatusOK, url.Values{"scope": {"openid"}})
	_, _, page := fetch(t, http.MethodGet, answer["verification_uri_complete"].(string), nil)
	for _, want := range []string{"demo provider", answer["user_code"].(string), "Continue as Ada", "Deny"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	_, _, page = fetch(t, http.MethodGet, c.server.Issuer()+`/device?user_code=%22%3E%3Cscript%3E`, nil)
	if strings.Contains(page, "<script") {
		t.Error("script injection through user_code")
	}
	form := url.Values{"user_code": {"XXXX-XXXX"}, "user": {"ada"}}
	verification := answer["verification_uri"].(string)
	if status, _, _ := fetch(t, http.MethodPost, verification, form); status != http.StatusBadRequest {
		t.Errorf("a guessed code: status %d", status)
	}
	form.Set("user_code", answer["user_code"].(string))
	if status, _, _ := fetch(t, http.MethodPost, verification, form); status != http.StatusOK {
		t.Errorf("the right code: status %d", status)
	}
	if got := c.poll(t, answer["device_code"].(string)); got != "" {
		t.Errorf("poll answers %q", got)
	}
}

func TestDeviceSignIn(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{AutoApprove: true, DeviceInterval: time.Second}))
	c.Endpoint.DeviceAuthURL = c.server.Issuer() + "/device_authorization"
	answer, err := c.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.DeviceAccessToken(t.Context(), answer)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := c.verify(t, token); err != nil || id.Subject != "ada" || id.Nonce != "" {
		t.Errorf("signed in as %+v, %v", id, err)
	}
	if c.server.Count("device_code") != 1 || token.RefreshToken == "" {
		t.Errorf("%d polls, refresh token %t", c.server.Count("device_code"), token.RefreshToken != "")
	}
}

func TestDeviceRefusals(t *testing.T) {
	s := start(t, demoidp.Options{AutoApprove: true, RejectScopes: []string{"groups"},
		Clients: []demoidp.Client{{ID: demoidp.DefaultClientID}, {ID: "other"}}})
	c, thief := newClient(t, s), newClient(t, s)
	thief.ClientID = "other"
	for want, form := range map[string]url.Values{
		"invalid_scope":  {"scope": {"openid groups"}},
		"invalid_target": {"resource": {"nowhere"}},
	} {
		if got := c.postTo(t, "/device_authorization", http.StatusBadRequest, form); got["error"] != want {
			t.Errorf("got %v, want %s", got["error"], want)
		}
	}
	stranger := &relyingParty{Config: oauth2.Config{ClientID: "stranger"}, server: s}
	stranger.postTo(t, "/device_authorization", http.StatusUnauthorized, url.Values{})

	code := c.postTo(t, "/device_authorization", http.StatusOK, url.Values{})["device_code"].(string)
	if got := thief.poll(t, code); got != "invalid_grant" {
		t.Errorf("another client's device code: %q", got)
	}
	if got := c.poll(t, code); got != "" {
		t.Errorf("the owner's poll after the attempt: %q", got)
	}
}
