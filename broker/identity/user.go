package identity

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// profileClaims are the claims that userinfo may add to those of the ID token.
// Nothing else of it is read.
func profileClaims() []string {
	return []string{"email", "name", "given_name", "family_name", "preferred_username", "groups", "roles"}
}

// texts and lists map the claims to where a User keeps them.
func (u *User) texts() map[string]*string {
	return map[string]*string{
		"name": &u.Name, "given_name": &u.GivenName,
		"family_name": &u.FamilyName, "preferred_username": &u.PreferredUsername,
	}
}

func (u *User) lists() map[string]*[]string {
	return map[string]*[]string{"groups": &u.Groups, "roles": &u.Roles}
}

// takeProfile sets the wanted profile fields. A name that the claims lack stays
// as it was; a list that they lack becomes empty, since some providers omit a
// claim when its last group was removed, unless it is known that there is more.
func (u *User) takeProfile(c claims, wanted []string) {
	for name, field := range u.texts() {
		if !c.has(name) || !slices.Contains(wanted, name) {
			continue
		}
		value, ok := textOf(c[name])
		*field = cmp.Or(value, *field)
		u.Claimed.setGap(name, ok, whyOdd(c[name]))
	}
	for name, field := range u.lists() {
		switch known := u.Claimed.gap(name); {
		case !slices.Contains(wanted, name):
		case c.has(name):
			list, whole := c.names(name)
			*field = list
			u.Claimed.setGap(name, whole, whyOdd(c[name]))
		case c.overage(name):
			*field = []string{}
			u.Claimed.setGap(name, false, overageText)
		case known != "" && known != userinfoText:
		default:
			*field = []string{}
			u.Claimed.setGap(name, true, "")
		}
	}
	u.takeEmail(c, slices.Contains(wanted, "email"))
}

// takeEmail takes an address together with what the same document says of it.
// A document that has no address of its own can take the trust in one away, and
// never give it.
func (u *User) takeEmail(c claims, wanted bool) {
	address, ok := c.email()
	said := c.emailVerified()
	switch {
	case wanted && address != "":
		if said == unsaid && u.Claimed.Email == "" && u.Claimed.EmailVerified == unverified {
			said = unverified // another document said so, of whatever address
		}
		u.Claimed.Email, u.Claimed.EmailVerified = address, said
		u.Claimed.setGap("email", true, "")
	case said == unverified && (address == "" || address == u.Claimed.Email):
		u.Claimed.EmailVerified = unverified
	}
	switch {
	case !wanted:
	case !ok && address == "":
		u.Claimed.setGap("email", false, whyOdd(c["email"]))
	case u.Claimed.gap("email") == userinfoText:
		u.Claimed.setGap("email", true, "")
	}
}

// judge derives what follows of the claims for this client. An address that the
// provider says it has not verified is no verified claim and is left out.
func (u *User) judge(c Client) {
	said := u.Claimed
	u.EmailCounts = said.Email != "" && (said.EmailVerified == verified || c.TrustEmail)
	u.Email = ""
	if u.EmailCounts || said.EmailVerified == unsaid {
		u.Email = said.Email
	}
	u.Warnings = nil
	for _, gap := range said.Gaps {
		u.Warnings = append(u.Warnings, gap.Claim+gap.Why)
	}
}

// userFrom makes the user of verified ID token claims.
func userFrom(id claims, c Client) User {
	u := User{
		Sub:      id.text("sub"),
		UserID:   id.text("sub"),
		Groups:   []string{},
		Roles:    []string{},
		Issuer:   c.Issuer,
		Audience: id.list("aud"),
		ClientID: c.ClientID,
		AuthTime: id.number("auth_time"),
		Profile:  c.Profile,
	}
	u.takeProfile(id, profileClaims())
	u.judge(c)
	return u
}

// renewedUser is the user after a refresh. A refreshed ID token replaces what
// the first one said, groups that were removed since included. Names and address
// stay where it is silent, since many providers send a slimmer one then, and
// what userinfo is in charge of stays until userinfo is asked again.
func renewedUser(old *record, id claims, c Client) User {
	u := userFrom(id, c)
	before := old.user.clone()
	for name, field := range u.texts() {
		if !id.has(name) {
			*field = *before.texts()[name]
		}
	}
	for name, field := range u.lists() {
		if !id.has(name) && slices.Contains(old.fromUserinfo, name) {
			*field = *before.lists()[name]
			u.Claimed.keepGap(name, before.Claimed)
		}
	}
	u.keepEmail(id, before.Claimed)
	if u.AuthTime == 0 {
		u.AuthTime = before.AuthTime
	}
	u.judge(c)
	return u
}

// keepEmail keeps the address of before, and what was said of it, where the new
// claims say nothing of either.
func (u *User) keepEmail(id claims, before Claimed) {
	said := id.emailVerified()
	switch {
	case !id.has("email"):
		u.Claimed.Email, u.Claimed.EmailVerified = before.Email, before.EmailVerified
		u.Claimed.keepGap("email", before)
		if said == unverified {
			u.Claimed.EmailVerified = unverified
		}
	case said == unsaid && u.Claimed.Email == before.Email:
		u.Claimed.EmailVerified = before.EmailVerified
	}
}

// missing names the profile claims that the ID token did not have, or not so that
// they could be used.
func missing(id claims) []string {
	return slices.DeleteFunc(profileClaims(), id.settles)
}

// settles reports whether no other place has more about a profile claim.
func (c claims) settles(name string) bool {
	switch name {
	case "groups", "roles":
		_, whole := c.names(name)
		return c.has(name) && whole
	case "email":
		address, _ := c.email()
		return address != "" && c.has("email_verified")
	}
	return c.text(name) != ""
}

// withUserinfo returns the record with the wanted profile claims from userinfo
// (OpenID Connect Core 5.3), which is in charge of them from then on. An answer about another sub is a *VerifyError;
// every other error means that there is nothing to add.
func (p *provider) withUserinfo(ctx context.Context, c Client, r *record, wanted []string) (*record, error) {
	if p.UserinfoEndpoint == "" || len(wanted) == 0 {
		return r, nil
	}
	info, err := p.userinfo(ctx, c, r)
	if err != nil {
		return nil, err
	}
	// Without this check a mixed-up token would put another user's groups into
	// this user (OpenID Connect Core 5.3.2).
	if info.text("sub") != r.user.Sub {
		return nil, &VerifyError{What: "userinfo", Why: "it is about somebody else (sub)"}
	}
	merged := *r
	merged.user = r.user.clone()
	info = info.mapped(c)
	merged.user.takeProfile(info, wanted)
	merged.user.judge(c)
	merged.fromUserinfo = wanted
	return &merged, nil
}

// withoutUserinfo is the record where userinfo was asked for the wanted claims and
// gave nothing: nobody knows then whether it would have had groups.
func (r *record) withoutUserinfo(c Client, wanted []string) *record {
	less := *r
	less.user = r.user.clone()
	for _, name := range []string{"groups", "roles", "email"} {
		if slices.Contains(wanted, name) && less.user.Claimed.gap(name) == "" && (name != "email" || less.user.Claimed.Email == "") {
			less.user.Claimed.setGap(name, false, userinfoText)
		}
	}
	less.user.judge(c)
	less.fromUserinfo = wanted // to be asked again at the next refresh
	return &less
}

func (p *provider) askUserinfo(ctx context.Context, r *record) (*answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.UserinfoEndpoint, nil)
	if err != nil {
		return nil, fmt.Errorf("userinfo request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+r.access.Reveal())
	request.Header.Set("Accept", "application/json")
	return p.do(request, "userinfo")
}

func (p *provider) userinfo(ctx context.Context, c Client, r *record) (claims, error) {
	a, err := p.askUserinfo(ctx, r)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, p.refusal("userinfo", p.UserinfoEndpoint, a, r.access.Reveal())
	}
	if a.isJWT() {
		return p.signedUserinfo(ctx, c, strings.TrimSpace(string(a.body)))
	}
	info, err := a.object()
	if err != nil {
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer %w", err)
	}
	return info, nil
}

// signedUserinfo reads userinfo that is a token (OpenID Connect Core 5.3.2). The
// issuer and the client have to be the right ones where they are named.
func (p *provider) signedUserinfo(ctx context.Context, c Client, raw string) (claims, error) {
	if strings.Count(raw, ".") == 4 {
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer is encrypted; have the provider send userinfo to this client as JSON or signed")
	}
	keys := &keySet{provider: p}
	verifier := oidc.NewVerifier(p.Issuer, keys, &oidc.Config{
		SkipIssuerCheck: true, SkipClientIDCheck: true, SkipExpiryCheck: true, SupportedSigningAlgs: signingAlgs(),
	})
	token, err := verifier.Verify(ctx, raw)
	switch {
	case keys.unreachable != nil:
		return nil, keys.unreachable
	case err != nil:
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer is a token whose signature or form is wrong; "+
			"have the provider send userinfo to this client as JSON, or signed with a key of its key set")
	}
	info, err := parseClaims(token)
	switch {
	case err != nil:
		return nil, unusable("userinfo", p.UserinfoEndpoint, "the claims of the token in its answer cannot be read")
	case info.has("iss") && token.Issuer != p.Issuer:
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer is a token of another issuer (iss)")
	case info.has("aud") && !slices.Contains(token.Audience, c.ClientID):
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer is a token for another client (aud)")
	case !token.Expiry.IsZero() && token.Expiry.Before(p.now().Add(-tokenLeeway)):
		return nil, unusable("userinfo", p.UserinfoEndpoint, "its answer is a token that has expired (exp)")
	}
	return info, nil
}

// clone lets a copy's lists be replaced without the original seeing it. None
// of them is nil: a backend must never read null for an empty list.
func (u User) clone() User {
	for _, list := range []*[]string{&u.Groups, &u.Roles, &u.Scopes, &u.Audience} {
		*list = append([]string{}, *list...)
	}
	u.Claimed.Gaps = slices.Clone(u.Claimed.Gaps)
	return u
}
