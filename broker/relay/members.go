package relay

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// EachMember calls f with the decoded name and the text of each member of a JSON
// object, in its order, or with each element of an array and no name. Of other
// values, and behind what cannot be read, there is none.
func EachMember(value []byte, f func(name string, member []byte)) {
	dec := jsontext.NewDecoder(bytes.NewReader(value), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	open, err := dec.ReadToken()
	if err != nil || open.Kind() != '{' && open.Kind() != '[' {
		return
	}
	for dec.PeekKind() != '}' && dec.PeekKind() != ']' {
		name := ""
		if open.Kind() == '{' {
			token, err := dec.ReadToken()
			if err != nil {
				return
			}
			name = token.String()
		}
		member, err := dec.ReadValue()
		if err != nil {
			return
		}
		f(name, member)
	}
}
