package demoidp

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxForm bounds a request body, in bytes.
const maxForm = 64 << 10

// exchange is one request with what its handler needs to answer it.
type exchange struct {
	w     http.ResponseWriter
	r     *http.Request
	fault Fault
}

// oauthError is an error response of RFC 6749 4.1.2.1 and 5.2.
type oauthError struct {
	status int
	code   string
	text   string
}

func refuse(code, text string) *oauthError {
	return &oauthError{http.StatusBadRequest, code, text}
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern, name string, serve func(*exchange)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, name, serve) })
	}
	route("GET /.well-known/openid-configuration", "discovery", s.discovery)
	route("GET /jwks", "jwks", s.jwks)
	route("GET /authorize", "authorize", s.authorize)
	route("POST /authorize", "authorize", s.authorize)
	route("POST /authorize/decision", "decision", s.decide)
	route("POST /token", "token", s.token)
	route("GET /userinfo", "userinfo", s.userinfo)
	route("POST /userinfo", "userinfo", s.userinfo)
	route("POST /device_authorization", "device_authorization", s.deviceAuthorization)
	route("GET /device", "device", s.devicePage)
	route("POST /device", "device", s.deviceDecision)
	route("GET /logout", "end_session", s.endSession)
	route("POST /logout", "end_session", s.endSession)
	if !s.options.NoRevocation {
		route("POST /revoke", "revocation", s.revocation)
	}
	// Without the cross-origin check any web page could press "Continue".
	return s.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard refuses a foreign Host, which is what DNS rebinding looks like from
// here, and sets the headers that every answer has.
func (s *Server) guard(next http.Handler) http.Handler {
	host := strings.TrimPrefix(s.issuer, "http://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Pragma", "no-cache")
		h.Set("Date", s.options.Now().UTC().Format(http.TimeFormat)) // clients measure clock skew by it
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Host != host {
			http.Error(w, "this provider is "+s.issuer, http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

// serve counts the request, lets a fault have its way, and then answers.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, name string, answer func(*exchange)) {
	if err := r.ParseForm(); err != nil {
		x := &exchange{w: w, r: r}
		x.fail(refuse("invalid_request", "the form cannot be read"))
		return
	}
	if name == "token" {
		name = grantName(r.PostForm)
	}
	s.countMu.Lock()
	s.counts[name]++
	s.countMu.Unlock()
	x := &exchange{w: w, r: r, fault: s.faultFor(name)}
	if s.inject(x) {
		return
	}
	if repeated := repeatedParameter(r.Form); repeated != "" {
		x.fail(refuse("invalid_request", repeated+" is there more than once"))
		return
	}
	answer(x)
	if x.fault.Lost {
		panic(http.ErrAbortHandler) // cuts the connection: the answer was written to nowhere
	}
}

// repeatedParameter names a parameter that RFC 6749 3.1 and 3.2 forbid to
// repeat. RFC 8707 2 allows it for resource.
func repeatedParameter(form url.Values) string {
	for name, values := range form {
		if len(values) > 1 && name != "resource" {
			return name
		}
	}
	return ""
}

func (x *exchange) json(status int, doc map[string]any) {
	if x.fault.Edit != nil && status == http.StatusOK {
		x.fault.Edit(doc)
	}
	body, err := json.Marshal(doc)
	if err != nil {
		panic(err) // only an Edit can put something in that JSON has no form for
	}
	x.w.Header().Set("Content-Type", "application/json")
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}

func (x *exchange) fail(e *oauthError) {
	if e.status == http.StatusUnauthorized {
		x.w.Header().Set("WWW-Authenticate", `Basic realm="demo provider"`)
	}
	x.json(e.status, map[string]any{"error": e.code, "error_description": e.text})
}

func (s *Server) discovery(x *exchange) {
	scopes := slices.DeleteFunc([]string{"openid", "profile", "email", "groups", "offline_access"},
		func(scope string) bool { return slices.Contains(s.options.RejectScopes, scope) })
	doc := map[string]any{
		"issuer":                                s.issuer,
		"authorization_endpoint":                s.issuer + "/authorize",
		"token_endpoint":                        s.issuer + "/token",
		"userinfo_endpoint":                     s.issuer + "/userinfo",
		"jwks_uri":                              s.issuer + "/jwks",
		"device_authorization_endpoint":         s.issuer + "/device_authorization",
		"end_session_endpoint":                  s.issuer + "/logout",
		"scopes_supported":                      scopes,
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token", "client_credentials", deviceGrant},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
		"code_challenge_methods_supported":      []string{"S256"},
		"prompt_values_supported":               []string{"none", "login", "consent", "select_account"},
		"token_endpoint_auth_methods_supported": []string{"none", "client_secret_basic", "client_secret_post"},
		"claims_supported": []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "email", "email_verified",
			"name", "given_name", "family_name", "preferred_username", "groups", "roles"},
		"authorization_response_iss_parameter_supported": !s.options.NoIss,
		"request_uri_parameter_supported":                false,
	}
	if !s.options.NoRevocation {
		doc["revocation_endpoint"] = s.issuer + "/revoke"
		doc["revocation_endpoint_auth_methods_supported"] = doc["token_endpoint_auth_methods_supported"]
	}
	x.json(http.StatusOK, doc)
}

// userinfo is OpenID Connect Core 5.3, with the token in the header only.
func (s *Server) userinfo(x *exchange) {
	token, isBearer := strings.CutPrefix(x.r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	found := s.liveAccess(token)
	s.mu.Unlock()
	switch {
	case !isBearer:
		x.challenge(http.StatusUnauthorized, "")
	case found == nil:
		x.challenge(http.StatusUnauthorized, "invalid_token")
	case !slices.Contains(found.scopes, "openid"):
		x.challenge(http.StatusForbidden, "insufficient_scope")
	default:
		doc := found.grant.user.claims(found.scopes)
		doc["sub"] = found.grant.user.Sub
		x.json(http.StatusOK, doc)
	}
}

// challenge answers as RFC 6750 section 3 requires. A request without a token gets no
// error code.
func (x *exchange) challenge(status int, code string) {
	value := `Bearer realm="demo provider"`
	doc := map[string]any{}
	if code != "" {
		value += `, error="` + code + `"`
		doc["error"] = code
	}
	x.w.Header().Set("WWW-Authenticate", value)
	x.json(status, doc)
}

// authenticate finds the client of a request by `none`, client_secret_basic or
// client_secret_post (RFC 6749 2.3, OpenID Connect Core 9).
func (s *Server) authenticate(r *http.Request) (*Client, *oauthError) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if r.Header.Get("Authorization") != "" {
		basicID, basicSecret, err := basicCredentials(r)
		if err != nil {
			return nil, &oauthError{http.StatusUnauthorized, "invalid_client", err.Error()}
		}
		if secret != "" || (id != "" && id != basicID) {
			return nil, refuse("invalid_request", "two client authentications in one request")
		}
		id, secret = basicID, basicSecret
		if secret == "" {
			return nil, &oauthError{http.StatusUnauthorized, "invalid_client", "basic authentication without a secret"}
		}
	}
	client := s.clients[id]
	if client == nil || !sameSecret(client.Secret, secret) {
		return nil, &oauthError{http.StatusUnauthorized, "invalid_client", "unknown client or wrong secret"}
	}
	return client, nil
}

// basicCredentials undoes the form encoding that RFC 6749 2.3.1 puts inside
// Basic, which a client that forgets it gets wrong for any secret with a '%' or '+'.
func basicCredentials(r *http.Request) (id, secret string, err error) {
	rawID, rawSecret, ok := r.BasicAuth()
	if !ok {
		return "", "", errors.New("only basic authentication is known here")
	}
	if id, err = url.QueryUnescape(rawID); err != nil {
		return "", "", errors.New("client_id in basic authentication is not form-encoded")
	}
	if secret, err = url.QueryUnescape(rawSecret); err != nil {
		return "", "", errors.New("client_secret in basic authentication is not form-encoded")
	}
	return id, secret, nil
}
