package demoidp

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// grant is one sign-in and the family of refresh tokens that descends from it.
type grant struct {
	client   *Client
	user     *User
	scopes   []string
	audience []string
	nonce    string
	offline  bool // access_type=offline, Google's way to ask for a refresh token
	authTime time.Time
	acr      string // empty when none was asked for that is known

	revoked   bool      // ends every token of the family
	refresh   string    // the live refresh token, "" before the first
	previous  string    // the one that it superseded
	rotatedAt time.Time // when that happened
}

type accessToken struct {
	grant   *grant
	scopes  []string
	expires time.Time
}

// issue is what a token request has earned.
type issue struct {
	grant    *grant
	scopes   []string // the grant's, or fewer on refresh
	audience []string // the grant's, or fewer
	nonce    string   // only the first ID token repeats it
	refresh  string   // goes into the answer unless empty
}

// grantName is how the grants are called in faults and counts.
func grantName(form url.Values) string {
	if form.Get("grant_type") == deviceGrant {
		return "device_code"
	}
	return form.Get("grant_type")
}

func (s *Server) token(x *exchange) {
	client, refused := s.authenticate(x.r)
	if refused != nil {
		x.fail(refused)
		return
	}
	earned, refused := s.redeem(client, x.r.PostForm)
	if refused != nil {
		x.fail(refused)
		return
	}
	x.json(http.StatusOK, s.mint(earned))
}

// redeem holds the lock from the check of a code or token to its end, so that
// of any number of parallel requests exactly one succeeds.
func (s *Server) redeem(client *Client, form url.Values) (*issue, *oauthError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch grantName(form) {
	case "authorization_code":
		return s.redeemCode(client, form)
	case "refresh_token":
		return s.redeemRefresh(client, form)
	case "device_code":
		return s.redeemDevice(client, form)
	case "client_credentials":
		return s.redeemMachine(client, form)
	}
	return nil, refuse("unsupported_grant_type", "this grant_type is not known here")
}

func (s *Server) redeemCode(client *Client, form url.Values) (*issue, *oauthError) {
	a := s.codes[form.Get("code")]
	if a == nil || a.grant.client != client {
		return nil, refuse("invalid_grant", "the code is not known")
	}
	if a.used {
		a.grant.revoked = true // RFC 6749 4.1.2: the code was stolen
		return nil, refuse("invalid_grant", "the code was used before; its tokens are revoked")
	}
	a.used = true // a wrong guess costs the code as well
	switch {
	case !s.options.Now().Before(a.expires):
		return nil, refuse("invalid_grant", "the code has expired")
	case form.Get("redirect_uri") != a.redirectURI:
		return nil, refuse("invalid_grant", "redirect_uri is not that of the authorization request")
	case !verifies(form.Get("code_verifier"), a.challenge):
		return nil, refuse("invalid_grant", "code_verifier does not match")
	}
	audience, refused := narrowedAudience(a.grant, form)
	if refused != nil {
		return nil, refused
	}
	return s.first(a.grant, audience), nil
}

// verifies is RFC 7636 4.6 for S256.
func verifies(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return sameSecret(base64.RawURLEncoding.EncodeToString(sum[:]), challenge)
}

func sameSecret(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// first starts the family of a new sign-in.
func (s *Server) first(g *grant, audience []string) *issue {
	if !s.options.NoRefresh && (g.offline || slices.Contains(g.scopes, "offline_access")) {
		g.refresh = opaque()
		s.refresh[g.refresh] = g
	}
	return &issue{grant: g, scopes: g.scopes, audience: audience, nonce: g.nonce, refresh: g.refresh}
}

func (s *Server) redeemRefresh(client *Client, form url.Values) (*issue, *oauthError) {
	token := form.Get("refresh_token")
	g := s.refresh[token]
	if g == nil || g.client != client || g.revoked {
		return nil, refuse("invalid_grant", "the refresh token is not known or revoked")
	}
	scopes, refused := narrowedScopes(g, form)
	if refused != nil {
		return nil, refused
	}
	audience, refused := narrowedAudience(g, form)
	if refused != nil {
		return nil, refused
	}
	earned := &issue{grant: g, scopes: scopes, audience: audience}
	switch {
	case token == g.refresh && s.options.NoRotation:
	case token == g.refresh:
		g.previous, g.refresh, g.rotatedAt = token, opaque(), s.options.Now()
		s.refresh[g.refresh] = g
		earned.refresh = g.refresh
	case s.inGrace(g, token):
		earned.refresh = g.refresh
	default:
		g.revoked = true
		return nil, refuse("invalid_grant", "the refresh token was used before; its family is revoked")
	}
	return earned, nil
}

// redeemMachine is RFC 6749 4.4: the client is its own user, and there is no
// refresh token.
func (s *Server) redeemMachine(client *Client, form url.Values) (*issue, *oauthError) {
	scopes := strings.Fields(form.Get("scope"))
	refused := s.checkScopes(scopes)
	switch {
	case client.Secret == "":
		return nil, refuse("unauthorized_client", "a public client cannot prove who it is")
	case slices.Contains(scopes, "openid"), slices.Contains(scopes, "offline_access"):
		return nil, refuse("invalid_scope", "there is no person to tell of")
	case refused != nil:
		return nil, refused
	}
	audience, refused := readAudience(form)
	if refused != nil {
		return nil, refused
	}
	g := &grant{client: client, user: &User{Sub: client.ID}, scopes: scopes, audience: audience, authTime: s.options.Now()}
	return &issue{grant: g, scopes: scopes, audience: audience}, nil
}

// inGrace allows the last superseded token only, as Auth0's overlap period does.
func (s *Server) inGrace(g *grant, token string) bool {
	return token == g.previous && s.options.Now().Sub(g.rotatedAt) < s.options.Grace
}

// narrowedScopes gives the scopes of a refresh, which may ask for fewer but
// never for more (RFC 6749 6).
func narrowedScopes(g *grant, form url.Values) ([]string, *oauthError) {
	asked := strings.Fields(form.Get("scope"))
	if len(asked) == 0 {
		return g.scopes, nil
	}
	if !subset(asked, g.scopes) {
		return nil, refuse("invalid_scope", "a refresh cannot widen the scope")
	}
	return asked, nil
}

// narrowedAudience is the same for resource and audience (RFC 8707 2.2). A
// sign-in that named none leaves the choice to the token request.
func narrowedAudience(g *grant, form url.Values) ([]string, *oauthError) {
	asked, refused := readAudience(form)
	switch {
	case refused != nil:
		return nil, refused
	case len(asked) == 0:
		return g.audience, nil
	case len(g.audience) > 0 && !subset(asked, g.audience):
		return nil, refuse("invalid_target", "the sign-in was for another resource")
	}
	return asked, nil
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// mint makes the tokens. It takes the lock for moments only, because the fault
// of the ID token is asked here and may call any method of the server.
func (s *Server) mint(earned *issue) map[string]any {
	access := s.mintAccess(earned)
	doc := map[string]any{
		"access_token": access,
		"token_type":   "Bearer",
		"expires_in":   int64(s.options.AccessLifetime / time.Second),
		"scope":        strings.Join(earned.scopes, " "),
	}
	if earned.refresh != "" {
		doc["refresh_token"] = earned.refresh
	}
	if slices.Contains(earned.scopes, "openid") {
		doc["id_token"] = s.mintID(earned, access)
	}
	return doc
}

func (s *Server) mintAccess(earned *issue) string {
	expires := s.options.Now().Add(s.options.AccessLifetime)
	token := opaque()
	if !s.options.OpaqueAccessToken {
		token = s.mintAccessJWT(earned, token, expires)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access[token] = &accessToken{grant: earned.grant, scopes: earned.scopes, expires: expires}
	return token
}

// liveAccess finds an access token that is good now, or nil.
func (s *Server) liveAccess(token string) *accessToken {
	a := s.access[token]
	if a == nil || a.grant.revoked || !s.options.Now().Before(a.expires) {
		return nil
	}
	return a
}
