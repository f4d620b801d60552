package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/text"
)

// bom is the byte order mark that some Windows editors put first. TOML knows
// none, so it is cut off for reading and kept in an edit.
const bom = edit.BOM

// profileFields are the keys of a profile: a string, a slice of texts or a
// pointer to a switch.
var profileFields = func() map[string]reflect.Kind {
	fields := map[string]reflect.Kind{}
	for f := range reflect.TypeFor[Profile]().Fields() {
		fields[fieldName(f)] = f.Type.Kind()
	}
	return fields
}()

func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
	return name
}

// check refuses keys that mean nothing here, and values of the wrong type.
func checkKey(k edit.TOMLKey) error {
	if err := checkKnown(k); err != nil {
		return edit.ErrorAt(k.Line, err)
	}
	return nil
}

func checkKnown(k edit.TOMLKey) error {
	switch k.Path[0] {
	case "default_profile", "store", "passphrase_file":
		if len(k.Path) == 1 {
			return k.WantString()
		}
	case "defaults":
		return checkProfile(k, k.Path[1:], "[defaults]")
	case "audit":
		return checkAudit(k)
	case "profiles":
		if len(k.Path) == 1 {
			return k.WantTable()
		}
		return checkProfile(k, k.Path[2:], fmt.Sprintf("[profiles.%s]", edit.QuoteKey(k.Path[1])))
	default:
		return unknownTopLevel(k)
	}
	return fmt.Errorf("%s is a string in quotes, not a table", k.Path[0])
}

// checkProfile checks the part of the key that is inside of a profile.
func checkProfile(k edit.TOMLKey, rest []string, table string) error {
	if len(rest) == 0 {
		return k.WantTable()
	}
	kind, ok := profileFields[rest[0]]
	switch {
	case policy.IsKey(rest[0]) && table != "[defaults]":
		return policy.CheckKey(k, rest)
	case policy.IsKey(rest[0]):
		return fmt.Errorf("%s belongs to one profile: put it under [profiles.NAME], or into a file that policy names", rest[0])
	case !ok:
		return fmt.Errorf("unknown key %q in %s%s", rest[0], table, text.DidYouMean(rest[0], fieldNames()))
	case len(rest) > 1 || k.Header:
		return fmt.Errorf("%s in %s is a value, not a table", rest[0], table)
	case kind == reflect.Slice:
		return k.WantStrings()
	case kind == reflect.Pointer:
		return k.WantBool()
	}
	return k.WantString()
}

// unknownTopLevel says what a key outside of the known tables was likely meant
// to be: a key of a profile, a profile without its prefix, or a typing error.
func unknownTopLevel(k edit.TOMLKey) error {
	name := k.Path[0]
	if _, ok := profileFields[name]; ok && !k.Header {
		return fmt.Errorf("%s stands outside of a profile: put it under [profiles.NAME] or [defaults]", name)
	}
	known := []string{"audit", "default_profile", "defaults", "passphrase_file", "profiles", "store"}
	if text.Nearest(name, known) == "" && k.Kind == unstable.Table && len(k.Path) == 1 {
		return fmt.Errorf("unknown table [%s]; did you mean [profiles.%s]?", edit.QuoteKey(name), edit.QuoteKey(name))
	}
	return fmt.Errorf("unknown key %q%s", name, text.DidYouMean(name, known))
}

func fieldNames() []string {
	names := make([]string, 0, len(profileFields))
	for name := range profileFields {
		names = append(names, name)
	}
	slices.Sort(names) // so that two equally near names give the same answer each time
	return names
}
