package identity

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// claims are the members of an ID token, of userinfo or of any other document of
// a provider. Each is read by itself, so that a member of an odd form costs
// itself and nothing else.
type claims map[string]jsontext.Value

// oddForm stands for a claim that is there in a form that nothing can be read from.
var oddForm = jsontext.Value("false")

// has tells whether the claim says anything: null is no value (OpenID Connect
// Core 5.3.2).
func (c claims) has(name string) bool {
	value := c[name]
	return len(value) > 0 && value.Kind() != 'n'
}

// text is a claim that is a string, or else empty.
func (c claims) text(name string) string {
	text, _ := textOf(c[name])
	return text
}

func textOf(value jsontext.Value) (string, bool) {
	var s string
	if value.Kind() != '"' || json.Unmarshal(value, &s) != nil {
		return "", false
	}
	return s, true
}

// number is a claim that is a number, or else 0.
func (c claims) number(name string) int64 {
	var f float64
	if json.Unmarshal(c[name], &f) != nil {
		return 0
	}
	return int64(f)
}

// list is a claim that is a string or a list of strings.
func (c claims) list(name string) []string {
	if s := c.text(name); s != "" {
		return []string{s}
	}
	list := []string{}
	if json.Unmarshal(c[name], &list) != nil {
		return []string{}
	}
	return list
}

// flag tells whether a claim is true, or the string "true".
func (c claims) flag(name string) bool {
	return c[name].Kind() == 't' || c.text(name) == "true"
}

// names reads a claim that names groups or roles: a name or a list of names,
// each as a string, as a whole number or as an object that has it as name or
// value; or a map of objects or switches, whose keys are the names. whole is
// false when something is there that cannot be read.
func (c claims) names(name string) (list []string, whole bool) {
	if !c.has(name) {
		return []string{}, true
	}
	value := c[name]
	if text, ok := textOf(value); ok {
		return namesInText(text)
	}
	return namesIn(value)
}

// namesInText reads a claim that is one string. Some providers write a list into it: as
// JSON, or with a separator. What has a separator may as well be one name with a comma
// in it, so it counts as one, and as not wholly known. A distinguished name is one.
func namesInText(text string) (list []string, whole bool) {
	inner := jsontext.Value(text)
	if kind := inner.Kind(); (kind == '[' || kind == '{') && inner.IsValid(jsontext.AllowDuplicateNames(true)) {
		return namesIn(inner)
	}
	separated := strings.ContainsAny(text, ";|\t\r\n")
	if parts := strings.Split(text, ","); len(parts) > 1 {
		separated = separated || slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(part, "=") })
	}
	return appendName([]string{}, text), !separated
}

func namesIn(value jsontext.Value) (list []string, whole bool) {
	list = []string{}
	if text, ok := nameOf(value); ok {
		return appendName(list, text), true
	}
	switch value.Kind() {
	case '[':
		var elements []jsontext.Value
		elements, whole = elementsOf(value)
		for _, element := range elements {
			text, ok := nameOf(element)
			list, whole = appendName(list, text), whole && ok
		}
	case '{':
		return keysOf(value)
	}
	return list, whole
}

// elementsOf are the elements of a list, each to be judged by its reader.
func elementsOf(value jsontext.Value) (list []jsontext.Value, ok bool) {
	err := json.Unmarshal(value, &list, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	return list, err == nil
}

func appendName(list []string, name string) []string {
	if name == "" {
		return list
	}
	return append(list, name)
}

// nameOf is the one name that a value holds.
func nameOf(value jsontext.Value) (string, bool) {
	switch value.Kind() {
	case '"':
		return textOf(value)
	case '0': // 7.0 and 1e3 have other spellings, so no rule could name them
		if !strings.ContainsAny(string(value), ".eE") {
			return string(value), true
		}
	case '{':
		var object claims
		if json.Unmarshal(value, &object) != nil {
			return "", false
		}
		for _, member := range []string{"name", "value"} {
			if kind := object[member].Kind(); kind == '"' || kind == '0' {
				return nameOf(object[member])
			}
		}
	}
	return "", false
}

// keysOf are the keys of a map like {"admin": {…}, "auditor": true}. Strings and
// lists in it are no map of names: {"roles": ["admin"]} does not mean roles. PHP
// writes a list from which something was taken as {"0": "a", "2": "b"}.
func keysOf(value jsontext.Value) (keys []string, whole bool) {
	var object claims
	if json.Unmarshal(value, &object) != nil {
		return []string{}, false
	}
	keys, whole = []string{}, true
	for key, member := range object {
		switch kind := member.Kind(); {
		case kind == '"' && key != "" && strings.Trim(key, "0123456789") == "":
			text, ok := textOf(member)
			keys, whole = appendName(keys, text), whole && ok
		case kind == '{', kind == 't':
			keys = appendName(keys, key)
		case kind == 'f', kind == 'n': // not one of them
		default:
			whole = false
		}
	}
	slices.Sort(keys)
	return keys, whole
}

// email is the address, or the first of several. ok is false when something is
// there that cannot be read.
func (c claims) email() (address string, ok bool) {
	if !c.has("email") {
		return "", true
	}
	value := c["email"]
	if value.Kind() != '[' {
		return textOf(value)
	}
	list, ok := elementsOf(value)
	if len(list) == 0 {
		return "", ok
	}
	return textOf(list[0])
}

// The answers to whether a provider has verified an address.
const (
	verified   = "true"
	unverified = "false"
	unsaid     = ""
)

// emailVerified is what the claims say of the address. Only true and "true" are
// a yes; whatever else is there is a no.
func (c claims) emailVerified() string {
	switch {
	case !c.has("email_verified"):
		return unsaid
	case c.flag("email_verified"):
		return verified
	}
	return unverified
}
