package identity

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/broker/identity/address"
)

func TestWrongIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	for name, issuer := range map[string]string{
		"empty":         "",
		"no URL":        "okta",
		"plain http":    "http://login.example.com",
		"other scheme":  "ftp://login.example.com",
		"user":          "https://me@login.example.com",
		"query":         "https://login.example.com/?x=1",
		"fragment":      "https://login.example.com/#x",
		"space":         "https://login.example.com/ x",
		"control":       "https://login.example.com/\r\nHost: evil",
		"0.0.0.0":       "http://0.0.0.0:1",
		"loopback-like": "http://127.0.0.1.example.com",
	} {
		w.client.Issuer = issuer
		_, _, err := w.login(t)
		if failure := wantError[*ClientError](t, err); failure.Field != "issuer" {
			t.Errorf("%s: %v", name, failure)
		}
	}
	w.client.Issuer, w.client.ClientID = w.idp.Issuer(), ""
	_, _, err := w.login(t)
	if failure := wantError[*ClientError](t, err); failure.Field != "client_id" {
		t.Error(failure)
	}
}

func TestIssuerMismatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.client.Issuer += "/" // the usual cause
	_, _, err := w.login(t)
	if mismatch := wantError[*IssuerMismatchError](t, err); mismatch.Got != w.idp.Issuer() || mismatch.Want != w.idp.Issuer()+"/" {
		t.Errorf("%+v", mismatch)
	}
	if len(w.browser.urls) != 0 {
		t.Error("the browser was opened")
	}
}

func TestUnreachableProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.client.Issuer = "http://127.0.0.1:" + fixedPort(t)
	_, _, err := w.login(t)
	if down := wantError[*UnreachableError](t, err); down.Step != "metadata" || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
	w.client.Issuer = w.idp.Issuer()
	w.idp.SetFault(fails("discovery", always, demoidp.Fault{Status: 503, Body: "CANARY-body"}))
	_, _, err = w.login(t)
	wantError[*UnreachableError](t, err)
}

// bad is a discovery document with one thing changed.
func bad(member string, value any) demoidp.Fault {
	return demoidp.Fault{Edit: func(doc map[string]any) {
		if value == nil {
			delete(doc, member)
			return
		}
		doc[member] = value
	}}
}

func TestMetadataThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	html := http.Header{"Content-Type": {"text/html"}}
	for name, test := range map[string]struct {
		fault demoidp.Fault
		words string
	}{
		"not there":            {demoidp.Fault{Status: 404, Body: "CANARY-body"}, "is the issuer right?"},
		"redirect":             {demoidp.Fault{Status: 302, Header: http.Header{"Location": {"http://127.0.0.1:1/new?CANARY=1"}}}, "answer 302, which leads to http://127.0.0.1:1/new)"},
		"captive portal":       {demoidp.Fault{Status: 200, Header: html, Body: "<b>CANARY-body</b>"}, "not JSON but text/html"},
		"empty":                {demoidp.Fault{Status: 200, Header: asJSON}, "not the JSON"},
		"duplicate member":     {demoidp.Fault{Status: 200, Header: asJSON, Body: `{"issuer":"a","issuer":"b"}`}, "issuer is not a string, or stands there twice"},
		"wrong type":           {bad("token_endpoint", 1), "token_endpoint is not a string"},
		"no authorization":     {bad("authorization_endpoint", nil), "authorization_endpoint is not"},
		"no token":             {bad("token_endpoint", nil), "token_endpoint is not"},
		"no keys":              {bad("jwks_uri", nil), "jwks_uri is not"},
		"javascript":           {bad("authorization_endpoint", "javascript:alert(1)"), "authorization_endpoint is not"},
		"file":                 {bad("authorization_endpoint", "file:///etc/passwd"), "authorization_endpoint is not"},
		"shell":                {bad("authorization_endpoint", "https://x/$(calc)`id`&'"), "no URL may have"},
		"plain http":           {bad("token_endpoint", "http://login.example.com/token"), "http, which is for loopback"},
		"user in revocation":   {bad("revocation_endpoint", "https://a:b@login.example.com/"), "user information"},
		"fragment in userinfo": {bad("userinfo_endpoint", "https://login.example.com/#"), "fragment"},
		"PKCE without S256":    {bad("code_challenge_methods_supported", []string{"plain"}), "lacks S256"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.idp.SetFault(fails("discovery", always, test.fault))
			_, _, err := w.login(t)
			if wantError[*MetadataError](t, err); !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %q, want %q in it", err, test.words)
			}
			if len(w.browser.urls) != 0 {
				t.Error("the browser was opened")
			}
		})
	}
}

func TestMetadataWithoutMethodsIsUsedWithS256(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.idp.SetFault(fails("discovery", always, bad("code_challenge_methods_supported", nil)))
	w.signedIn(t) // the provider demands PKCE, so it was sent
}

func TestHugeAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.idp.SetFault(fails("discovery", always, demoidp.Fault{Status: 200,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"x":"` + strings.Repeat("x", maxBody) + `"}`}))
	_, _, err := w.login(t)
	if !errors.Is(err, errTooBig) {
		t.Errorf("got %v", err)
	}
}

// A provider on the internet must not send us to a service of this machine.
func TestEndpointsOfARemoteIssuer(t *testing.T) {
	t.Parallel()
	remote, err := parseIssuer("https://login.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{
		"http://127.0.0.1:6379/", "https://127.0.0.1/", "https://localhost/", "https://x.localhost/", "https://[::1]/",
		"https://[::ffff:127.0.0.1]/", "https://169.254.169.254/", "https://[fe80::1]/", "https://0.0.0.0/", "https://[::]/",
		"https://LOCALHOST:1/", "https://localhost.:1/", "https://[::1%25lo]/", "https://127.1/", "https://0/", "https://ip6-localhost/",
		"https://0x7f.1/", "https://0177.0.0.1/", "https://2130706433/", "https://127.0.0.1./", "https://0x7F000001:1/", "https://127.0x0.1/",
		"https://X.LocalHost./", "https://[::ffff:7f00:1]/", "https://localhost6.localdomain6/", "https://[0:0:0:0:0:0:0:1]/", "https://0xa9.254.43518/",
	} {
		if address.JudgeEndpoint(raw, remote) == nil {
			t.Error("accepted", raw)
		}
	}
	for _, raw := range []string{"https://login.example.com/token", "https://oauth2.googleapis.com/token", "https://10.0.0.1:8443/token?x=1"} {
		if err := address.JudgeEndpoint(raw, remote); err != nil {
			t.Errorf("%s %v", raw, err)
		}
	}
}

// A token endpoint that redirects must not get the code to follow.
func TestNoRequestFollowsARedirect(t *testing.T) {
	t.Parallel()
	visited := make(chan string, 10)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { visited <- r.URL.Path }))
	defer elsewhere.Close()
	for _, endpoint := range []string{"discovery", "authorization_code", "jwks", "userinfo"} {
		o := signsInAlone()
		o.SlimIDToken = true
		w := newWorld(t, o)
		w.idp.SetFault(fails(endpoint, always, demoidp.Fault{Status: 307, Header: http.Header{"Location": {elsewhere.URL + "/" + endpoint}}}))
		_, _, _ = w.login(t)
		if w.idp.Count(endpoint) == 0 {
			t.Errorf("%s was never asked", endpoint)
		}
	}
	if len(visited) != 0 {
		t.Error("followed to", receive(t, visited))
	}
}
