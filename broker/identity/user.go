package identity

import (
	"cmp"
	"slices"
	"strings"
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
func renewedUser(before User, fromUserinfo []string, id claims, c Client) User {
	u := userFrom(id, c)
	before = before.clone()
	for name, field := range u.texts() {
		if !id.has(name) {
			*field = *before.texts()[name]
		}
	}
	for name, field := range u.lists() {
		if !id.has(name) && slices.Contains(fromUserinfo, name) {
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

// clone lets a copy's lists be replaced without the original seeing it. None
// of them is nil: a backend must never read null for an empty list.
func (u User) clone() User {
	for _, list := range []*[]string{&u.Groups, &u.Roles, &u.Scopes, &u.Audience} {
		*list = append([]string{}, *list...)
	}
	u.Claimed.Gaps = slices.Clone(u.Claimed.Gaps)
	return u
}

// Claimed is what the provider's documents say of a user that a policy has to
// know and that a server must not take for verified.
type Claimed struct {
	Email         string `json:"email,omitempty"`          // whatever the provider says of it
	EmailVerified string `json:"email_verified,omitempty"` // "true" or "false"; empty when the document that has the address does not say
	Gaps          []Gap  `json:"gaps,omitempty"`           // in the order of their claims
}

// Gap is a claim that is not completely known: groups, roles, scopes or email.
type Gap struct {
	Claim string `json:"claim"`
	Why   string `json:"why"` // goes on behind the name of the claim
}

// Equal tells whether both say the same.
func (c Claimed) Equal(other Claimed) bool {
	return c.Email == other.Email && c.EmailVerified == other.EmailVerified && slices.Equal(c.Gaps, other.Gaps)
}

// gap is why a claim is not wholly known, or empty.
func (c *Claimed) gap(claim string) string {
	for _, gap := range c.Gaps {
		if gap.Claim == claim {
			return gap.Why
		}
	}
	return ""
}

// setGap notes why a claim is not whole, or that it is.
func (c *Claimed) setGap(claim string, whole bool, why string) {
	c.Gaps = slices.DeleteFunc(slices.Clone(c.Gaps), func(gap Gap) bool { return gap.Claim == claim })
	if !whole {
		c.Gaps = append(c.Gaps, Gap{claim, why})
		slices.SortFunc(c.Gaps, func(a, b Gap) int { return strings.Compare(a.Claim, b.Claim) })
	}
}

// keepGap takes over what was known before of a claim.
func (c *Claimed) keepGap(claim string, before Claimed) {
	why := before.gap(claim)
	c.setGap(claim, why == "", why)
}
