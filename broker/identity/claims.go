package identity

import (
	"encoding/base64"
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

// otherClaims are the claims of the sign-in's ID token that a policy may ask
// about: texts, numbers, switches and lists of these. The token was verified
// when it was stored, and the keychain is ours.
func (r *record) otherClaims() map[string][]string {
	parts := strings.Split(r.idToken.Reveal(), ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var said map[string]jsontext.Value
	if err != nil || json.Unmarshal(payload, &said) != nil {
		return nil
	}
	others := map[string][]string{}
	for name, value := range said {
		if texts := claimTexts(value); len(texts) > 0 && !ownClaims[name] {
			others[name] = texts
		}
	}
	return others
}

// claimTexts are the values of a claim; an object has none.
func claimTexts(value jsontext.Value) []string {
	switch value.Kind() {
	case '"':
		var text string
		if json.Unmarshal(value, &text) != nil {
			return nil
		}
		return []string{text}
	case '0', 't', 'f':
		return []string{string(value)}
	case '[':
		var list []jsontext.Value
		if json.Unmarshal(value, &list) != nil {
			return nil
		}
		var texts []string
		for _, one := range list {
			if one.Kind() != '[' {
				texts = append(texts, claimTexts(one)...)
			}
		}
		return texts
	}
	return nil
}
