package identity

import (
	"slices"
	"strings"
)

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
