package demoidp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

func TestRevocation(t *testing.T) {
	s := start(t, demoidp.Options{AutoApprove: true,
		Clients: []demoidp.Client{{ID: demoidp.DefaultClientID}, {ID: "other"}}})
	c, stranger := newClient(t, s), newClient(t, s)
	stranger.ClientID = "other"
	revoke := func(c *relyingParty, token string) {
		c.postTo(t, "/revoke", http.StatusOK, url.Values{"token": {token}})
	}
	token := c.signIn(t)
	revoke(stranger, token.RefreshToken)
	revoke(stranger, token.AccessToken)
	revoke(c, "unknown")
	if !s.Active(token.AccessToken) || !s.Active(token.RefreshToken) {
		t.Error("another client revoked our tokens")
	}
	revoke(c, token.AccessToken)
	if s.Active(token.AccessToken) || !s.Active(token.RefreshToken) {
		t.Error("an access token does not go alone")
	}
	next, err := c.renew(t.Context(), token.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	revoke(c, next.RefreshToken)
	if s.Active(next.AccessToken) || s.Active(next.RefreshToken) {
		t.Error("the family outlives its refresh token")
	}
	c.postTo(t, "/revoke", http.StatusBadRequest, url.Values{})
	c.ClientID = "nobody"
	c.postTo(t, "/revoke", http.StatusUnauthorized, url.Values{"token": {"x"}})
}

func TestNoRevocation(t *testing.T) {
	c := newClient(t, start(t, demoidp.Options{NoRevocation: true}))
	var metadata map[string]any
	if err := c.provider.Claims(&metadata); err != nil {
		t.Fatal(err)
	}
	if metadata["revocation_endpoint"] != nil {
		t.Error("discovery names a revocation endpoint")
	}
	if status, _, _ := fetch(t, http.MethodPost, c.server.Issuer()+"/revoke", url.Values{}); status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
}

func TestEndSession(t *testing.T) {
	const after = "http://127.0.0.1:1/bye"
	s := start(t, demoidp.Options{AutoApprove: true, Clients: []demoidp.Client{
		{ID: demoidp.DefaultClientID, PostLogoutRedirectURIs: []string{after}}, {ID: "other"},
	}})
	c := newClient(t, s)
	token := c.signIn(t)
	signedIn := func() bool { return !c.authorize(t, set("prompt", "none")).Has("error") }
	hint := url.Values{"id_token_hint": {token.Extra("id_token").(string)}, "state": {"bye"},
		"client_id": {c.ClientID}, "post_logout_redirect_uri": {after}}
	logout := func(method string, change ...string) (int, string, string) {
		form := url.Values{}
		for name := range hint {
			form.Set(name, hint.Get(name))
		}
		for i := 0; i < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		if method == http.MethodGet {
			return fetch(t, method, s.Issuer()+"/logout?"+form.Encode(), nil)
		}
		return fetch(t, method, s.Issuer()+"/logout", form)
	}

	for _, change := range [][]string{{"client_id", "other"}, {"id_token_hint", "forged"}} {
		if status, _, _ := logout(http.MethodGet, change...); status != http.StatusBadRequest || !signedIn() {
			t.Errorf("%v: status %d", change, status)
		}
	}
	if _, _, page := logout(http.MethodGet, "id_token_hint", ""); !strings.Contains(page, "<button>Sign out") || !signedIn() {
		t.Error("any web page can sign a person out")
	}
	if status, location, _ := logout(http.MethodGet); status != http.StatusSeeOther || location != after+"?state=bye" || signedIn() {
		t.Errorf("with a hint: status %d, location %q", status, location)
	}
	if !s.Active(token.RefreshToken) {
		t.Error("the refresh token ended with the browser's sign-in")
	}
	c.signIn(t)
	status, location, page := logout(http.MethodPost, "id_token_hint", "", "post_logout_redirect_uri", "http://evil.example")
	if status != http.StatusOK || location != "" || !strings.Contains(page, "Signed out") || signedIn() {
		t.Errorf("a foreign address: status %d, location %q", status, location)
	}
}
