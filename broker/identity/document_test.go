package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// rewriting changes the answers of one endpoint as a provider of another make would
// send them.
type rewriting struct {
	next   http.RoundTripper
	path   string
	change func(header http.Header, body []byte) []byte
}

func (r *rewriting) RoundTrip(request *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(request)
	if err != nil || request.URL.Path != r.path || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	body = r.change(resp.Header, body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

func (w *world) rewrite(path string, change func(http.Header, []byte) []byte) {
	w.accounts.roundTripper = &rewriting{w.accounts.roundTripper, path, change}
}

// member sets one member of a JSON object to a text that may be anything.
func member(name, text string) func(http.Header, []byte) []byte {
	return func(_ http.Header, body []byte) []byte {
		var doc map[string]json.RawMessage
		if err := json.Unmarshal(body, &doc); err != nil {
			panic(err)
		}
		delete(doc, name)
		rest, err := json.Marshal(doc)
		if err != nil {
			panic(err)
		}
		return append([]byte(`{`+fmt.Sprintf("%q:%s,", name, text)), rest[1:]...)
	}
}

func mediaType(kind string) func(http.Header, []byte) []byte {
	return func(header http.Header, body []byte) []byte {
		if header.Del("Content-Type"); kind != "" {
			header.Set("Content-Type", kind)
		}
		return body
	}
}

func around(before, after string) func(http.Header, []byte) []byte {
	return func(_ http.Header, body []byte) []byte {
		return []byte(before + strings.TrimSpace(string(body)) + after)
	}
}

// asForm is an answer of the days before RFC 6749.
func asForm(header http.Header, body []byte) []byte {
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		panic(err)
	}
	form := url.Values{}
	for name, value := range doc {
		form.Set(name, fmt.Sprint(value))
	}
	header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return []byte(form.Encode())
}

// oddTokenAnswers are answers with tokens in them that are good.
var oddTokenAnswers = map[string]func(http.Header, []byte) []byte{
	"scope as a list":             member("scope", `["openid","profile"]`),
	"scope as a list of one text": member("scope", `["openid profile"]`),
	"scope as a mixed list":       member("scope", `["openid",7,null,["x"]]`),
	"scope null":                  member("scope", `null`),
	"scope empty":                 member("scope", `""`),
	"scope an object":             member("scope", `{"openid":true}`),
	"scope a number":              member("scope", `1`),

	"expires_in a float":           member("expires_in", `3600.0`),
	"expires_in an exponent":       member("expires_in", `3.6e3`),
	"expires_in a text":            member("expires_in", `"3600"`),
	"expires_in a float as text":   member("expires_in", `" 3600.5 "`),
	"expires_in null":              member("expires_in", `null`),
	"expires_in empty":             member("expires_in", `""`),
	"expires_in words":             member("expires_in", `"in an hour"`),
	"expires_in NaN as text":       member("expires_in", `"NaN"`),
	"expires_in negative":          member("expires_in", `-1`),
	"expires_in too large":         member("expires_in", `1e400`),
	"expires_in larger than int64": member("expires_in", `99999999999999999999`),
	"expires_in infinite as text":  member("expires_in", `"Inf"`),
	"expires_in a switch":          member("expires_in", `true`),
	"expires_in a list":            member("expires_in", `[3600]`),

	"token_type null":        member("token_type", `null`),
	"token_type in capitals": member("token_type", `"BEARER"`),
	"token_type a list":      member("token_type", `["Bearer"]`),
	"error null":             member("error", `null`),
	"error empty":            member("error", `""`),

	"text/html":            mediaType("text/html"),
	"text/plain":           mediaType("text/plain; charset=utf-8"),
	"octet-stream":         mediaType("application/octet-stream"),
	"no media type":        mediaType(""),
	"media type odd":       mediaType("json"),
	"in capitals":          mediaType("APPLICATION/JSON;CHARSET=UTF-8"),
	"charset in quotes":    mediaType(`application/json; charset="UTF-8"`),
	"parameter without =":  mediaType(`application/json; charset`),
	"parameters twice":     mediaType(`application/json; charset=utf-8; charset=utf-8`),
	"another charset":      mediaType("application/json; charset=ISO-8859-1"),
	"a form":               asForm,
	"a byte order mark":    around("\ufeff", ""),
	"white space":          around(" \r\n\t", "\n\n"),
	"bytes behind it":      around("", "\n<!-- served by p4 -->"),
	"another object":       around("", `{"access_token":"other"}`),
	"a member twice":       member("scope", `"openid","scope":"openid"`),
	"two values":           member("expires_in", `1,"expires_in":3600`),
	"a member of nonsense": member("x", `{"a":1,"a":[{"b":null,"b":2}]}`),
	"a byte of Latin-1":    member("greeting", "\"Gr\xfc\xdfe\""),
	"Latin-1 as a name":    member("x", "1,\"gr\xfc\xdfe\":2"),
}

// One reader for all grants: what a sign-in is content with, a refresh and a code on
// another device are, too. A sign-in that is lost at the first refresh is lost once
// an hour.
func TestEveryGrantReadsOddTokenAnswers(t *testing.T) {
	t.Parallel()
	for name, change := range oddTokenAnswers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.rewrite("/token", change)
			if user := w.signedIn(t); user.Email != "ada@example.com" {
				t.Errorf("%+v", user)
			}
			old := w.stored(t)
			w.clock.advance(370 * 24 * time.Hour)
			becomes(t, w.running(t, w.accounts), "a refresh", inState(SignedIn))
			if rec := w.stored(t); rec.refresh == old.refresh || rec.access == old.access || rec.refresh.IsZero() {
				t.Error("not the new tokens")
			}
			w.accounts.testOnlyPause = func(context.Context, time.Duration) error { return nil }
			device := w.ui()
			device.ShowCode = func(code DeviceCode) {
				w.browser.visit(http.MethodGet, code.FullURL, nil)
			}
			if _, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: device, Device: true, Timeout: soon}); err != nil {
				t.Errorf("by a code: %v", err)
			}
		})
	}
}

func TestScopesOfATokenAnswer(t *testing.T) {
	t.Parallel()
	asked := []string{"openid", "email"}
	for text, want := range map[string]struct {
		scopes string
		whole  bool
	}{
		`{}`:                           {"openid email", true},
		`{"scope":null}`:               {"openid email", true},
		`{"scope":""}`:                 {"openid email", true},
		`{"scope":[]}`:                 {"openid email", true},
		`{"scope":"a b"}`:              {"a b", true},
		`{"scope":["a","b c",""]}`:     {"a b c", true},
		`{"scope":["a",{"name":"b"}]}`: {"a", false},
		`{"scope":[["a"]]}`:            {"", false},
		`{"scope":7}`:                  {"", false},
		`{"scope":{"a":true}}`:         {"", false},
	} {
		got, _ := (&answer{body: []byte(text)}).tokenResponse()
		rec := newRecord(Client{}, User{}, got.tokens(asked), time.Now())
		if scopes := strings.Join(rec.user.Scopes, " "); scopes != want.scopes || (rec.user.Claimed.gap("scopes") == "") != want.whole {
			t.Errorf("%s: %q, %+v", text, scopes, rec.user.Claimed)
		}
	}
}

// A refresh token is good once. One that came with an answer of no other use is kept,
// or the next refresh would send the old one and end the sign-in.
func TestRefreshTokenIsNeverThrownAway(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(http.Header, []byte) []byte{
		"access_token empty":     member("access_token", `""`),
		"access_token null":      member("access_token", `null`),
		"access_token a list":    member("access_token", `["x"]`),
		"access_token an object": member("access_token", `{"value":"x"}`),
		"access_token a number":  member("access_token", `7`),
		"an error beside it": func(h http.Header, body []byte) []byte {
			return member("error", `"temporarily_unavailable"`)(h, member("access_token", `null`)(h, body))
		},
		"as text/html": func(h http.Header, body []byte) []byte {
			return mediaType("text/html")(h, member("access_token", `null`)(h, body))
		},
		"ID token of nonsense": member("id_token", `"a.b.c"`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := expired(t, signsInAlone())
			old := w.stored(t)
			broken := true
			w.rewrite("/token", func(h http.Header, body []byte) []byte {
				if !broken {
					return body
				}
				broken = false
				return change(h, body)
			})
			s := w.running(t, w.accounts)
			got := s.Wait(t.Context())
			if got.State != Degraded || got.Err == nil || strings.Contains(got.Err.Error(), "cannot be reached") {
				t.Errorf("%+v", got)
			}
			if rec := w.stored(t); rec.refresh == old.refresh || rec.access != old.access {
				t.Error("not the new refresh token with the old access token")
			}
			becomes(t, s, "recovery", inState(SignedIn))
			if n := w.idp.Count("refresh_token"); n != 2 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// What cannot be used is named, and not taken for the network.
func TestTokenAnswersOfNoUse(t *testing.T) {
	t.Parallel()
	replaced := func(kind, body string) func(http.Header, []byte) []byte {
		return func(h http.Header, _ []byte) []byte { return mediaType(kind)(h, []byte(body)) }
	}
	for name, test := range map[string]struct {
		change func(http.Header, []byte) []byte
		says   string
	}{
		"no access token":  {member("access_token", `null`), "no access_token"},
		"of another type":  {member("access_token", `7`), "access_token in its answer is not a string"},
		"a hotel's page":   {replaced("text/html", "<b>Welcome</b>"), "not OAuth (text/html)"},
		"nothing":          {replaced("application/json", ""), "not OAuth (application/json)"},
		"cut off":          {replaced("application/json", `{"access_token":"CANARY`), "not OAuth"},
		"a list":           {replaced("application/json", `[{"access_token":"CANARY"}]`), "not OAuth"},
		"an error":         {replaced("text/plain", `{"error":"invalid_scope"}`), "invalid_scope"},
		"no ID token":      {member("id_token", `null`), "no ID token"},
		"ID token a list":  {member("id_token", `["x"]`), "no ID token"},
		"not a bearer one": {member("token_type", `"DPoP"`), "token_type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.rewrite("/token", test.change)
			_, _, err := w.login(t)
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "cannot be reached") {
				t.Errorf("got %v, want %q in it", err, test.says)
			}
			w.wantNothingStored(t)
		})
	}
}

// Hints of the metadata and of the keys cost nobody a sign-in.
func TestOddMetadata(t *testing.T) {
	t.Parallel()
	const discovery, jwks = "/.well-known/openid-configuration", "/jwks"
	for name, test := range map[string]struct {
		path   string
		change func(http.Header, []byte) []byte
	}{
		"scopes as an object":        {discovery, member("scopes_supported", `{"openid":true}`)},
		"scopes as a text":           {discovery, member("scopes_supported", `"openid profile"`)},
		"scopes null":                {discovery, member("scopes_supported", `null`)},
		"scopes mixed":               {discovery, member("scopes_supported", `["openid",7,{}]`)},
		"methods as a text":          {discovery, member("token_endpoint_auth_methods_supported", `"client_secret_post"`)},
		"S256 as a text":             {discovery, member("code_challenge_methods_supported", `"S256"`)},
		"prompts a number":           {discovery, member("prompt_values_supported", `1`)},
		"iss flag as a text":         {discovery, member("authorization_response_iss_parameter_supported", `"true"`)},
		"iss flag a number":          {discovery, member("authorization_response_iss_parameter_supported", `1`)},
		"revocation null":            {discovery, member("revocation_endpoint", `null`)},
		"revocation a list":          {discovery, member("revocation_endpoint", `["https://x.example"]`)},
		"a hint twice":               {discovery, member("scopes_supported", `["a"],"scopes_supported":["b"]`)},
		"nonsense in what is unread": {discovery, member("mtls_endpoint_aliases", `{"a":1,"a":"\u0000"}`)},
		"Latin-1 in what is unread":  {discovery, member("op_name", "\"\xfc\"")},
		"text/plain":                 {discovery, mediaType("text/plain")},
		"octet-stream":               {discovery, mediaType("application/octet-stream")},
		"no media type":              {discovery, mediaType("")},
		"a byte order mark":          {discovery, around("\ufeff", "")},
		"bytes behind it":            {discovery, around("", "\n-->")},

		"keys as octet-stream":       {jwks, mediaType("application/octet-stream")},
		"keys with a mark":           {jwks, around("\ufeff", "\n")},
		"a key of another kind":      {jwks, moreKeys(`{"kty":"AKP","alg":"ML-DSA-65","pub":"AAAA"}`)},
		"a key of nonsense":          {jwks, moreKeys(`{"kty":"RSA","n":7,"e":"!"}`)},
		"a key that is none":         {jwks, moreKeys(`null,"x",{},{"kty":["EC"]}`)},
		"a key with odd hints":       {jwks, hints(`"use":["sig"],"key_ops":"verify","x5c":"none","x5t":7,"x5u":{}`)},
		"a certificate that is none": {jwks, hints(`"x5c":["AAAA"],"x5t":"AAAA"`)},
		"alg null":                   {jwks, hints(`"alg":null`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.rewrite(test.path, test.change)
			if user := w.signedIn(t); user.Sub != "ada" {
				t.Errorf("%+v", user)
			}
		})
	}
}

// moreKeys puts keys before those of a key set.
func moreKeys(more string) func(http.Header, []byte) []byte {
	return func(_ http.Header, body []byte) []byte {
		return bytes.Replace(body, []byte(`[`), []byte(`[`+more+`,`), 1)
	}
}

// hints puts members into the first key of a key set, in place of its own.
func hints(text string) func(http.Header, []byte) []byte {
	return func(_ http.Header, body []byte) []byte {
		var set struct{ Keys []map[string]json.RawMessage }
		more := map[string]json.RawMessage{}
		if json.Unmarshal(body, &set) != nil || json.Unmarshal([]byte("{"+text+"}"), &more) != nil {
			panic("not a key set")
		}
		maps.Copy(set.Keys[0], more)
		changed, err := json.Marshal(map[string]any{"keys": set.Keys})
		if err != nil {
			panic(err)
		}
		return changed
	}
}

// Keys that cannot be used say why, and are not the network.
func TestKeysOfNoUse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault demoidp.Fault
		says  string
	}{
		"a page":     {demoidp.Fault{Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<b>CANARY</b>"}, "not JSON but text/html"},
		"no keys":    {demoidp.Fault{Status: 200, Header: asJSON, Body: `{"keys":{}}`}, "no list of keys"},
		"moved":      {demoidp.Fault{Status: 301, Header: http.Header{"Location": {"/CANARY"}}}, "which leads to http://127.0.0.1"},
		"not there":  {demoidp.Fault{Status: 404}, "it answered 404"},
		"in trouble": {demoidp.Fault{Status: 502}, "it answered 502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.idp.SetFault(fails("jwks", always, test.fault))
			_, _, err := w.login(t)
			if wantError[*UnreachableError](t, err); !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "cannot be reached") {
				t.Errorf("got %v, want %q in it", err, test.says)
			}
		})
	}
}

// An issuer is only named where it leads somewhere.
func TestIssuerHintWasTried(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]string{"a circle": "/other/v2.0/", "another host": "https://elsewhere.example"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			said := w.idp.Issuer() + own
			if strings.HasPrefix(own, "https") {
				said = own
			}
			w.idp.SetFault(fails("discovery", always, bad("issuer", said)))
			_, _, err := w.login(t)
			if mismatch := wantError[*IssuerMismatchError](t, err); mismatch.Works != "" || mismatch.Got != said {
				t.Errorf("%+v", mismatch)
			}
			w.client.MetadataURL, w.client.Issuer = w.client.Issuer+wellKnown, said
			if _, err := w.accounts.discover(t.Context(), w.client); own[0] == '/' && err != nil {
				t.Errorf("with the address of the metadata: %v", err)
			}
		})
	}
	w := newWorld(t, signsInAlone())
	w.client.Issuer = w.idp.Issuer() + "/"
	_, _, err := w.login(t)
	if mismatch := wantError[*IssuerMismatchError](t, err); mismatch.Works != w.idp.Issuer() {
		t.Errorf("%+v", mismatch)
	}
}

// Userinfo may be signed (OpenID Connect Core 5.3.2), and some send bytes that are
// not JSON's.
func TestOddUserinfo(t *testing.T) {
	t.Parallel()
	latin := func(_ http.Header, body []byte) []byte {
		return bytes.Replace(body, []byte(`"Ada Lovelace"`), []byte("\"Ad\xe1 Lovelace\""), 1)
	}
	for name, test := range map[string]struct {
		change func(http.Header, []byte) []byte
		groups int    // that are known
		warns  string // with what
	}{
		"text/plain":          {mediaType("text/plain"), 2, ""},
		"a byte order mark":   {around("\ufeff", "\n"), 2, ""},
		"Latin-1 in a name":   {latin, 2, "name cannot be read: the provider sends it in another encoding than UTF-8"},
		"Latin-1 in a group":  {member("groups", "[\"staff\",\"\xe1\"]"), 1, "groups cannot be read: the provider sends it in another encoding"},
		"a name as an object": {member("name", `{"formatted":"Ada"}`), 2, "name cannot be read"},
		"groups twice":        {member("groups", `["a"],"groups":["b"]`), 0, "groups cannot be read"},
		"a page":              {func(h http.Header, _ []byte) []byte { return mediaType("text/html")(h, []byte("<b>")) }, 0, "not JSON but text/html"},
		"a list":              {around("[", "]"), 0, "not the JSON object"},
		"a token of nonsense": {func(h http.Header, _ []byte) []byte { return mediaType("application/jwt")(h, []byte("ey.ey.x")) }, 0, "signature or form is wrong"},
		"encrypted":           {func(h http.Header, _ []byte) []byte { return mediaType("Application/JWT")(h, []byte("ey.a.b.c.d")) }, 0, "encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := signsInAlone()
			o.SlimIDToken = true
			w := newWorld(t, o)
			w.rewrite("/userinfo", test.change)
			user := w.signedIn(t)
			if len(user.Groups) != test.groups || user.Name == "" && test.groups == 2 && test.warns == "" {
				t.Errorf("%+v", user)
			}
			warned := strings.Join(w.warnings, "\n")
			if !strings.Contains(warned, test.warns) || (test.warns == "") != (warned == "") || strings.Contains(warned, "cannot be reached") {
				t.Errorf("warnings %q, want %q", warned, test.warns)
			}
		})
	}
}

// An ID token of the provider's stands in for userinfo that is signed with its key.
func TestSignedUserinfo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edit  map[string]any
		how   demoidp.Signature
		warns string
	}{
		"good":           {nil, demoidp.Signed, ""},
		"iss missing":    {map[string]any{"iss": nil, "aud": nil, "exp": nil}, demoidp.Signed, ""},
		"another issuer": {map[string]any{"iss": "https://evil.example"}, demoidp.Signed, "another issuer"},
		"another client": {map[string]any{"aud": "x"}, demoidp.Signed, "another client"},
		"expired":        {map[string]any{"exp": 1}, demoidp.Signed, "expired"},
		"forged":         {nil, demoidp.ForeignKey, "signature or form is wrong"},
		"not signed":     {nil, demoidp.AlgNone, "signature or form is wrong"},
		"with a secret":  {nil, demoidp.HS256WithPublicKey, "signature or form is wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := signsInAlone()
			o.SlimIDToken = true
			w := newWorld(t, o)
			claims := map[string]any{"iss": w.idp.Issuer(), "aud": w.client.ClientID, "sub": "ada", "groups": []string{"signed"}, "name": "Ada"}
			for name, value := range test.edit {
				if claims[name] = value; value == nil {
					delete(claims, name)
				}
			}
			w.rewrite("/userinfo", func(h http.Header, _ []byte) []byte {
				return mediaType("application/jwt; charset=utf-8")(h, []byte(w.idp.Sign(claims, test.how)+"\n"))
			})
			user := w.signedIn(t)
			if good := test.warns == ""; good != slices.Equal(user.Groups, []string{"signed"}) || good != (len(user.Warnings) == 0) {
				t.Errorf("%+v", user)
			}
			if warned := strings.Join(w.warnings, "\n"); !strings.Contains(warned, test.warns) {
				t.Errorf("warnings %q, want %q", warned, test.warns)
			}
		})
	}
}
