package demoidp

import (
	"net/http"
	"net/url"
	"slices"
)

// revocation is RFC 7009: a refresh token takes its whole family with it, an
// access token goes alone, and a token that nobody knows is revoked already.
func (s *Server) revocation(x *exchange) {
	client, refused := s.authenticate(x.r)
	token := x.r.PostForm.Get("token")
	if refused == nil && token == "" {
		refused = refuse("invalid_request", "token is missing")
	}
	if refused != nil {
		x.fail(refused)
		return
	}
	s.revoke(client, token)
	x.w.WriteHeader(http.StatusOK)
}

func (s *Server) revoke(client *Client, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.refresh[token]; g != nil && g.client == client {
		g.revoked = true
	}
	if a := s.access[token]; a != nil && a.grant.client == client {
		delete(s.access, token)
	}
}

// endSession is OpenID Connect RP-Initiated Logout 1.0. It ends the sign-in at
// the provider; refresh tokens live on, being for when nobody is there. A GET
// without a hint could come from any web page, so a person is asked first.
func (s *Server) endSession(x *exchange) {
	hint := x.r.Form.Get("id_token_hint")
	s.mu.Lock()
	g := s.idTokens[hint]
	s.mu.Unlock()
	switch {
	case hint != "" && (g == nil || !names(x.r.Form, g.client)):
		x.page(http.StatusBadRequest, "Sign-out refused", text("The id_token_hint is not known, or not this client's."))
	case g != nil:
		s.signOut(func(user *User) bool { return user == g.user })
		x.afterLogout(g.client)
	case x.r.Method == http.MethodPost:
		s.signOut(func(*User) bool { return true })
		x.afterLogout(s.clients[x.r.Form.Get("client_id")])
	default:
		x.page(http.StatusOK, "Sign out", logoutForm(x.r.Form))
	}
}

// names tells whether client_id, where the form has it, is the client's.
func names(form url.Values, client *Client) bool {
	return !form.Has("client_id") || form.Get("client_id") == client.ID
}

func (s *Server) signOut(whom func(*User) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for user := range s.signedIn {
		if whom(user) {
			delete(s.signedIn, user)
		}
	}
}

// afterLogout goes back to the client, but only where that has registered to.
func (x *exchange) afterLogout(client *Client) {
	back := x.r.Form.Get("post_logout_redirect_uri")
	if client == nil || !slices.Contains(client.PostLogoutRedirectURIs, back) {
		x.page(http.StatusOK, "Signed out", text("You can close this page."))
		return
	}
	params := map[string]any{}
	if state := x.r.Form.Get("state"); state != "" {
		params["state"] = state
	}
	x.redirect(back, params)
}
