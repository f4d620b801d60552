package explorer

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// Validate says what of the arguments of a call the tool's schema does not allow, as
// "limit: minimum: 0 is less than 1". A schema that cannot be read, or that refers to
// others, allows everything: the server is the judge.
func Validate(schema, arguments json.RawMessage) error {
	var s jsonschema.Schema
	if json.Unmarshal(schema, &s) != nil {
		return nil
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		return nil
	}
	var instance any
	if err := json.Unmarshal(arguments, &instance); err != nil {
		return err
	}
	if err := resolved.Validate(instance); err != nil {
		return errors.New(inWords(err.Error()))
	}
	return nil
}

// inWords makes of the library's path of schemas the name of a field.
func inWords(text string) string {
	var field []string
	for {
		rest, found := strings.CutPrefix(text, "validating ")
		if !found {
			break
		}
		where, what, found := strings.Cut(rest, ": ")
		if !found {
			break
		}
		text = what
		if at := strings.LastIndex(where, "/properties/"); at >= 0 {
			field = append(field, strings.SplitN(where[at+len("/properties/"):], "/", 2)[0])
		}
	}
	if len(field) == 0 {
		return text
	}
	return field[len(field)-1] + ": " + text
}
