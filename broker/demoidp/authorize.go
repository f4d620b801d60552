package demoidp

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// codeLifetime is short: a code is used at once or never (RFC 6749 4.1.2).
const codeLifetime = time.Minute

// challengeForm is what SHA-256 in base64url looks like (RFC 7636 4.2).
var challengeForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`) })

// authRequest is an authorization request whose client and redirect URI are
// known, so that errors may be sent there.
type authRequest struct {
	client      *Client
	redirectURI string
	form        url.Values
	scopes      []string
	audience    []string
	maxAge      time.Duration // negative when the request has none
}

// authorization is a code that was handed out.
type authorization struct {
	grant       *grant
	redirectURI string
	challenge   string
	expires     time.Time
	used        bool
}

func (s *Server) authorize(x *exchange) {
	req, refused := s.readAuthRequest(x.r.Form)
	switch {
	case req == nil:
		x.page(http.StatusBadRequest, "Sign-in refused", text(refused.text))
	case refused != nil:
		s.answerError(x, req, refused)
	case s.options.AutoApprove:
		s.autoApprove(x, req)
	case req.prompts("none"):
		s.answerError(x, req, refuse("interaction_required", "somebody has to press a button"))
	default:
		x.page(http.StatusOK, "Sign in", s.consentForm(req))
	}
}

// decide takes the answer of the consent page. It reads the request again from
// the form: nothing that the page carries is trusted.
func (s *Server) decide(x *exchange) {
	values, err := url.ParseQuery(x.r.PostForm.Get("request"))
	if err != nil {
		x.page(http.StatusBadRequest, "Sign-in refused", text("the form cannot be read"))
		return
	}
	req, refused := s.readAuthRequest(values)
	user := s.userBySub(x.r.PostForm.Get("user"))
	switch {
	case req == nil:
		x.page(http.StatusBadRequest, "Sign-in refused", text(refused.text))
	case refused != nil:
		s.answerError(x, req, refused)
	case user == nil:
		s.answerError(x, req, refuse("access_denied", "the person said no"))
	default:
		s.approve(x, req, user)
	}
}

func (s *Server) autoApprove(x *exchange, req *authRequest) {
	user := s.userByHint(req.form.Get("login_hint"))
	s.mu.Lock()
	_, known := s.signedIn[user]
	s.mu.Unlock()
	if req.prompts("none") && !known {
		s.answerError(x, req, refuse("login_required", "nobody is signed in"))
		return
	}
	s.approve(x, req, user)
}

// readAuthRequest gives no request when the client or the redirect URI is
// wrong: such an error must never be sent to that URI (RFC 6749 4.1.2.1).
func (s *Server) readAuthRequest(form url.Values) (*authRequest, *oauthError) {
	client := s.clients[form.Get("client_id")]
	if client == nil {
		return nil, refuse("invalid_request", "this client_id is not registered")
	}
	if !client.redirectsTo(form.Get("redirect_uri"), s.options.ExactPorts) {
		return nil, refuse("invalid_request", "this redirect_uri is not registered for the client")
	}
	req := &authRequest{
		client:      client,
		redirectURI: form.Get("redirect_uri"),
		form:        form,
		scopes:      strings.Fields(form.Get("scope")),
		maxAge:      -1,
	}
	return req, s.check(req)
}

func (s *Server) check(req *authRequest) *oauthError {
	form := req.form
	switch {
	case form.Get("response_type") != "code":
		return refuse("unsupported_response_type", "only response_type=code is known here")
	case form.Get("response_mode") != "" && form.Get("response_mode") != "query":
		return refuse("invalid_request", "only response_mode=query is known here")
	case form.Get("code_challenge") == "":
		return refuse("invalid_request", "code_challenge is missing: PKCE is required")
	case form.Get("code_challenge_method") != "S256":
		return refuse("invalid_request", "code_challenge_method must be S256")
	case !challengeForm().MatchString(form.Get("code_challenge")):
		return refuse("invalid_request", "code_challenge is no SHA-256 in base64url")
	}
	if age := form.Get("max_age"); age != "" {
		seconds, err := strconv.ParseUint(age, 10, 31)
		if err != nil {
			return refuse("invalid_request", "max_age is no number of seconds")
		}
		req.maxAge = time.Duration(seconds) * time.Second
	}
	if refused := s.checkScopes(req.scopes); refused != nil {
		return refused
	}
	if refused := s.checkConsent(req); refused != nil {
		return refused
	}
	var refused *oauthError
	req.audience, refused = readAudience(form)
	return refused
}

// checkConsent ignores a wish for offline access that has no consent with it
// (OpenID Connect Core 11), where the provider is strict.
func (s *Server) checkConsent(req *authRequest) *oauthError {
	if slices.ContainsFunc(s.options.RefusePrompts, req.prompts) {
		return refuse("consent_required", "nobody here may consent to anything")
	}
	if s.options.StrictOffline && !req.prompts("consent") {
		req.scopes = slices.DeleteFunc(req.scopes, func(scope string) bool { return scope == "offline_access" })
	}
	return nil
}

func (s *Server) checkScopes(scopes []string) *oauthError {
	for _, scope := range scopes {
		if slices.Contains(s.options.RejectScopes, scope) {
			return refuse("invalid_scope", "scope "+strconv.Quote(scope)+" is not known here")
		}
	}
	return nil
}

// readAudience takes `resource` (RFC 8707 2) and `audience`, which is Auth0's
// name for much the same.
func readAudience(form url.Values) ([]string, *oauthError) {
	for _, resource := range form["resource"] {
		if u, err := url.Parse(resource); err != nil || !u.IsAbs() || strings.Contains(resource, "#") {
			return nil, refuse("invalid_target", "resource must be an absolute URI without a fragment")
		}
	}
	audience := slices.Clone(form["resource"])
	if name := form.Get("audience"); name != "" {
		audience = append(audience, name)
	}
	return audience, nil
}

// redirectsTo compares as strings, but for the port of a loopback IP literal,
// which RFC 8252 7.3 leaves to the client. The name localhost gets no such favour.
func (c *Client) redirectsTo(uri string, exactPorts bool) bool {
	if slices.Contains(c.RedirectURIs, uri) {
		return true
	}
	return !exactPorts && slices.ContainsFunc(c.RedirectURIs, func(registered string) bool {
		a, b := withoutLoopbackPort(registered), withoutLoopbackPort(uri)
		return a != "" && a == b
	})
}

// withoutLoopbackPort is empty for anything that is no loopback IP literal.
func withoutLoopbackPort(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" || strings.Contains(uri, "#") {
		return ""
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		return ""
	}
	u.Host = u.Hostname()
	return u.String()
}

func (r *authRequest) prompts(value string) bool {
	return slices.Contains(strings.Fields(r.form.Get("prompt")), value)
}

func (s *Server) approve(x *exchange, req *authRequest, user *User) {
	code := opaque()
	s.mu.Lock()
	s.codes[code] = &authorization{
		grant: &grant{
			client:   req.client,
			user:     user,
			scopes:   req.scopes,
			audience: req.audience,
			nonce:    req.form.Get("nonce"),
			offline:  req.form.Get("access_type") == "offline",
			authTime: s.authenticated(user, req),
			acr:      s.acr(req),
		},
		redirectURI: req.redirectURI,
		challenge:   req.form.Get("code_challenge"),
		expires:     s.options.Now().Add(codeLifetime),
	}
	s.mu.Unlock()
	s.answer(x, req, map[string]any{"code": code})
}

// authenticated is when the user last proved who they are: now, unless an
// earlier sign-in is good enough for prompt and max_age (OpenID Connect Core 3.1.2.1).
func (s *Server) authenticated(user *User, req *authRequest) time.Time {
	now := s.options.Now()
	last, known := s.signedIn[user]
	tooOld := req.maxAge >= 0 && now.Sub(last) > req.maxAge
	if !known || req.prompts("login") || tooOld {
		last = now
		s.signedIn[user] = now
	}
	return last
}

// acr is the first of the wanted ways to sign in that is known here; a wish for
// any other is ignored (OpenID Connect Core 3.1.2.1).
func (s *Server) acr(req *authRequest) string {
	for _, wanted := range strings.Fields(req.form.Get("acr_values")) {
		if slices.Contains(s.options.ACRs, wanted) {
			return wanted
		}
	}
	return ""
}

func (s *Server) answerError(x *exchange, req *authRequest, e *oauthError) {
	s.answer(x, req, map[string]any{"error": e.code, "error_description": e.text})
}

// answer sends the browser back to the client. RFC 9207 2 wants iss in error
// responses too.
func (s *Server) answer(x *exchange, req *authRequest, params map[string]any) {
	if state := req.form.Get("state"); state != "" {
		params["state"] = state
	}
	if !s.options.NoIss {
		params["iss"] = s.issuer
	}
	if x.fault.Edit != nil {
		x.fault.Edit(params)
	}
	x.redirect(req.redirectURI, params)
}

// redirect sends the browser to a registered URI. 303 makes it a GET after the
// POST of a form (RFC 9700 4.12).
func (x *exchange) redirect(uri string, params map[string]any) {
	target, err := url.Parse(uri)
	if err != nil {
		x.page(http.StatusBadRequest, "Cannot go back", text("The registered address cannot be read."))
		return
	}
	query := target.Query()
	for name, value := range params {
		query.Set(name, fmt.Sprint(value))
	}
	target.RawQuery = query.Encode()
	http.Redirect(x.w, x.r, target.String(), http.StatusSeeOther)
}

func (s *Server) userBySub(sub string) *User {
	i := slices.IndexFunc(s.options.Users, func(u User) bool { return u.Sub == sub })
	if i < 0 {
		return nil
	}
	return &s.options.Users[i]
}

// userByHint is the first user when the hint names none.
func (s *Server) userByHint(hint string) *User {
	for i := range s.options.Users {
		if u := &s.options.Users[i]; hint != "" && (hint == u.Email || hint == u.Sub) {
			return u
		}
	}
	return &s.options.Users[0]
}
