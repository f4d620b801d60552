package identity

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// profileClaims are the claims that userinfo may add to those of the ID token.
// Nothing else of it is read.
func profileClaims() []string {
	return []string{"email", "name", "given_name", "family_name", "preferred_username", "groups", "roles"}
}

// texts and lists map the claims to where a User keeps them.
func (u *User) texts() map[string]*string {
	return map[string]*string{
		"email": &u.Email, "name": &u.Name, "given_name": &u.GivenName,
		"family_name": &u.FamilyName, "preferred_username": &u.PreferredUsername,
	}
}

func (u *User) lists() map[string]*[]string {
	return map[string]*[]string{"groups": &u.Groups, "roles": &u.Roles}
}

// takeProfile sets the wanted profile fields. A name that the claims lack stays
// as it was; a list that they lack becomes empty, since some providers omit a
// claim when its last group is gone. An e-mail address that the provider says
// it has not verified is no verified claim and is left out.
func (u *User) takeProfile(c claims, wanted []string) {
	for name, field := range u.texts() {
		if value := c.text(name); value != "" && slices.Contains(wanted, name) {
			*field = value
		}
	}
	for name, field := range u.lists() {
		if slices.Contains(wanted, name) {
			*field = c.list(name)
		}
	}
	if slices.Contains(wanted, "email") && c.unverifiedEmail() {
		u.Email = ""
	}
}

// unverifiedEmail tells whether email_verified is there and false. Some
// providers send it as a string.
func (c claims) unverifiedEmail() bool {
	var verified bool
	if json.Unmarshal(c["email_verified"], &verified) == nil {
		return !verified
	}
	return c.text("email_verified") == "false"
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
	u.Warnings = id.warnings()
	return u
}

// renewedUser is the user after a refresh. A refreshed ID token replaces what
// the first one said, groups that are gone from it included. Names and address
// stay where it is silent, since many providers send a slimmer one then, and
// what userinfo is in charge of stays until userinfo is asked again.
func renewedUser(old *record, id claims, c Client) User {
	u := userFrom(id, c)
	before := old.user.clone()
	for name, field := range u.texts() {
		if _, there := id[name]; !there {
			*field = *before.texts()[name]
		}
	}
	for name, field := range u.lists() {
		if _, there := id[name]; !there && slices.Contains(old.fromUserinfo, name) {
			*field = *before.lists()[name]
		}
	}
	if u.AuthTime == 0 {
		u.AuthTime = before.AuthTime
	}
	return u
}

// missing names the profile claims that the ID token did not have.
func missing(id claims) []string {
	names := []string{}
	for _, name := range profileClaims() {
		if _, there := id[name]; !there {
			names = append(names, name)
		}
	}
	return names
}

// withUserinfo returns the record with the wanted profile claims from userinfo
// (OpenID Connect Core 5.3), which is in charge of them from then on. An answer about another sub is a *VerifyError;
// every other error means that there is nothing to add.
func (p *provider) withUserinfo(ctx context.Context, c Client, r *record, wanted []string) (*record, error) {
	if p.UserinfoEndpoint == "" || len(wanted) == 0 {
		return r, nil
	}
	info, err := p.userinfo(ctx, r)
	if err != nil {
		return nil, err
	}
	// Without this check a mixed-up token would put somebody else's groups into
	// this user (OpenID Connect Core 5.3.2).
	if info.text("sub") != r.user.Sub {
		return nil, &VerifyError{What: "userinfo", Why: "it is about somebody else (sub)"}
	}
	merged := *r
	merged.user = r.user.clone()
	info = info.mapped(c)
	merged.user.takeProfile(info, wanted)
	merged.user.Warnings = slices.DeleteFunc(slices.Clone(r.user.Warnings), func(warning string) bool {
		name, _, _ := strings.Cut(warning, " ")
		return info[name] != nil // userinfo has told what the token could not hold
	})
	merged.fromUserinfo = wanted
	return &merged, nil
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

func (p *provider) userinfo(ctx context.Context, r *record) (claims, error) {
	a, err := p.askUserinfo(ctx, r)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, p.refusal("userinfo", p.UserinfoEndpoint, a, r.access.Reveal())
	}
	info := claims{}
	if err := a.decode(&info); err != nil {
		return nil, &UnreachableError{Step: "userinfo", Host: hostOf(p.UserinfoEndpoint), Err: fmt.Errorf("its answer %w", err)}
	}
	return info, nil
}

// clone lets a copy's lists be replaced without the original seeing it. None
// of them is nil: a backend must never read null for an empty list.
func (u User) clone() User {
	for _, list := range []*[]string{&u.Groups, &u.Roles, &u.Scopes, &u.Audience} {
		*list = append([]string{}, *list...)
	}
	return u
}
