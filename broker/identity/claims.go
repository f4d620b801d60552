package identity

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ownClaims are those that say nothing of the person, or that a User holds in a
// form of its own.
var ownClaims = map[string]bool{
	"iss": true, "sub": true, "aud": true, "exp": true, "iat": true, "nbf": true, "jti": true, "nonce": true, "azp": true,
	"at_hash": true, "c_hash": true, "s_hash": true, "sid": true, "auth_time": true, "acr": true,
	"groups": true, "roles": true, "email": true,
}

// OtherClaim tells whether a claim is one that [Snapshot].Claims may have.
func OtherClaim(name string) bool { return !ownClaims[name] }

// otherClaims are the claims of the sign-in's ID token that a policy may ask
// about: texts, numbers, switches and lists of these, and the names of those that
// are something else. The token was verified when it was stored, and the keychain
// is ours.
func (r *record) otherClaims() (others map[string][]string, unreadable []string) {
	if r.machine {
		return nil, nil // it has no ID token
	}
	parts := strings.Split(r.idToken.Reveal(), ".")
	if len(parts) != 3 {
		return nil, []string{AllClaims}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var said claims
	if err != nil || json.Unmarshal(payload, &said) != nil || said == nil {
		return nil, []string{AllClaims}
	}
	others = map[string][]string{}
	for name, value := range said {
		if ownClaims[name] || !said.has(name) {
			continue
		}
		texts, whole := claimTexts(value)
		if len(texts) > 0 {
			others[name] = texts
		}
		if !whole {
			unreadable = append(unreadable, name)
		}
	}
	slices.Sort(unreadable)
	return others, unreadable
}

// claimTexts are the values of a claim. whole is false when it has others: an
// object, or a list in a list.
func claimTexts(value jsontext.Value) (texts []string, whole bool) {
	switch value.Kind() {
	case '"':
		text, ok := textOf(value)
		return []string{text}, ok
	case '0', 't', 'f':
		return []string{string(value)}, true
	case '[':
		var list []jsontext.Value
		list, whole = elementsOf(value)
		for _, one := range list {
			if one.Kind() == '[' {
				whole = false
				continue
			}
			more, ok := claimTexts(one)
			texts, whole = append(texts, more...), whole && ok
		}
		return texts, whole
	}
	return nil, false
}
