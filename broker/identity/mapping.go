package identity

import (
	"cmp"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// mapped are the claims with groups and roles where the client's profile says
// that they are. A name that is configured is the only one that counts: a claim
// that merely happens to be called groups may be anything.
func (c claims) mapped(client Client) claims {
	names := map[string]string{"groups": cmp.Or(client.GroupsClaim, "groups"), "roles": cmp.Or(client.RolesClaim, "roles")}
	var m claims
	for name, chosen := range names {
		if chosen == name {
			continue
		}
		if m == nil {
			m = maps.Clone(c)
		}
		delete(m, name)
		if value := at(c, chosen); value != nil {
			m[name] = value
		}
	}
	if m == nil {
		return c
	}
	return m
}

// at finds a claim by its name, which may be a URL, or else by a path into
// objects with dots between: "realm_access.roles". A name may have dots in it,
// so the longest that is there is taken at each step. A path that ends at what is
// no object leads to something that cannot be read, not to nothing.
func at(c claims, path string) jsontext.Value {
	if value, there := c[path]; there {
		return value
	}
	var blocked jsontext.Value
	for end := strings.LastIndexByte(path, '.'); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		var inner claims
		switch {
		case !c.has(path[:end]):
		case c[path[:end]].Kind() != '{' || json.Unmarshal(c[path[:end]], &inner) != nil:
			blocked = oddForm
		default:
			if value := at(inner, path[end+1:]); value != nil {
				return value
			}
		}
	}
	return blocked
}

// overage tells whether the provider has more values for a claim than it puts
// into a token, and says so instead. Entra does with groups: by a reference to
// where they can be asked for (OpenID Connect Core 5.6.2), or by a mere flag.
func (c claims) overage(name string) bool {
	if c.has(name) {
		return false
	}
	var elsewhere map[string]jsontext.Value
	if json.Unmarshal(c["_claim_names"], &elsewhere) == nil && elsewhere[name] != nil {
		return true
	}
	var flag bool
	return json.Unmarshal(c["has"+name], &flag) == nil && flag
}

// What is known to be missing of a claim, for people. The name of the claim comes
// before it.
const (
	overageText  = " are left out: the provider has more than it puts into a token"
	oddFormText  = " cannot be read, or not all of it: the provider sends a form that mcpauth does not know"
	encodingText = " cannot be read: the provider sends it in another encoding than UTF-8, perhaps Latin-1"
	userinfoText = " may be missing: the provider's userinfo gave nothing"
)

// whyOdd is why a claim that is there cannot be read.
func whyOdd(value jsontext.Value) string {
	if !utf8.Valid(value) {
		return encodingText
	}
	return oddFormText
}
