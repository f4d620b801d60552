package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/text"
)

// shape is what a key of a policy must hold.
type shape int

const (
	aText shape = iota
	aList
	aSwitch
	aNumber
	someTexts // a table of texts
	values    // a table of texts, numbers, switches or lists of texts
	tables    // [[…]], each with fields of its own
)

// keyShapes are the keys of a policy: of a policy file, and of a profile that
// has its rules in its own table.
var keyShapes = map[string]shape{
	"rules": tables, "limits": tables, "tests": tables,
	"tool_scopes": someTexts, "group_roles": someTexts,
	"role_levels": aList, "read_tools": aList, "confirm": aList,
	"strict": aSwitch, "read_only": aSwitch, "pin": aText,
}

// fieldShapes are the keys inside of [[rules]], [[limits]] and [[tests]].
var fieldShapes = map[string]map[string]shape{
	"rules": {
		"name": aText, "effect": aText, "max_auth_age": aText,
		"groups": aList, "roles": aList, "scopes": aList, "email_domains": aList, "claims": values,
		"methods": aList, "servers": aList, "tools": aList, "resources": aList, "prompts": aList, "acr": aList,
	},
	"tests": {
		"name": aText, "want": aText, "server": aText,
		"tool": aText, "resource": aText, "prompt": aText, "method": aText, "request": aText,
		"email": aText, "groups": aList, "roles": aList, "scopes": aList, "acr": aText, "claims": values, "signed_in_ago": aText,
	},
	"limits": {"tools": aList, "rate": aText, "burst": aNumber, "shared": aSwitch},
}

// IsKey reports whether a key belongs to a policy.
func IsKey(name string) bool {
	_, ok := keyShapes[name]
	return ok
}

// checkPolicy checks the part of the key that is inside of a
func CheckKey(k edit.TOMLKey, rest []string) error {
	is, known := keyShapes[rest[0]]
	switch {
	case !known:
		return unknownKey(rest[0], "", keyShapes)
	case is != tables:
		return checkShape(k, is, rest)
	case len(rest) == 1 && k.Kind != unstable.ArrayTable:
		return fmt.Errorf("%s are written one by one, each under [[%s]]", rest[0], edit.JoinKey(k.Path))
	case len(rest) == 1:
		return nil
	}
	is, known = fieldShapes[rest[0]][rest[1]]
	if !known {
		return unknownKey(rest[1], " in [["+rest[0]+"]]", fieldShapes[rest[0]])
	}
	return checkShape(k, is, rest[1:])
}

func unknownKey(name, where string, known map[string]shape) error {
	return fmt.Errorf("unknown key %q%s%s", name, where, text.DidYouMean(name, slices.Sorted(maps.Keys(known))))
}

// checkShape checks a key, rest[0], or a member of the table that it holds.
func checkShape(k edit.TOMLKey, is shape, rest []string) error {
	inside := len(rest) > 1
	switch {
	case is != someTexts && is != values && (inside || k.Header):
		return fmt.Errorf("%s is a value, not a table", rest[0])
	case inside && len(rest) > 2:
		return fmt.Errorf("%s holds no tables", rest[0])
	case is == aText, is == someTexts && inside:
		return k.WantString()
	case is == aList, is == values && inside && k.Kind == unstable.Array:
		return k.WantStrings()
	case is == aSwitch && k.Kind != unstable.Bool:
		return fmt.Errorf("%s must be true or false", k.Name())
	case is == aNumber && k.Kind != unstable.Integer:
		return fmt.Errorf("%s must be a number without quotes", k.Name())
	case is == values && inside && k.Kind != unstable.String && k.Kind != unstable.Bool && k.Kind != unstable.Integer:
		return fmt.Errorf("%s must be a string, a number, true, false or a list of strings", k.Name())
	case (is == someTexts || is == values) && !inside:
		return k.WantTable()
	}
	return nil
}

// CheckScope: scope-token of RFC 6749, section 3.3.
func CheckScope(v string) error {
	for _, r := range v {
		if r <= ' ' || r > '~' || r == '"' || r == '\\' {
			return fmt.Errorf("has %q in %q: a scope is printable ASCII without space, quote and backslash (RFC 6749, section 3.3), one scope an item", r, v)
		}
	}
	if v == "" {
		return errors.New("has an empty scope")
	}
	return nil
}
