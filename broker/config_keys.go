package broker

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/mcpauth/mcpauth/broker/clients"
)

// bom is the byte order mark that some Windows editors put first. TOML knows
// none, so it is cut off for reading and kept in an edit.
const bom = clients.BOM

// tomlKey is a key of our own files.
type tomlKey struct{ clients.TOMLKey }

// scanKeys lists all keys of a file without a byte order mark, in its order,
// members of inline tables after the key that holds them.
func scanKeys(data []byte) ([]tomlKey, error) {
	scanned, err := clients.ScanTOML(data)
	var at *clients.SyntaxError
	if errors.As(err, &at) {
		return nil, &lineError{at.Line, err}
	}
	keys := make([]tomlKey, len(scanned))
	for i, k := range scanned {
		keys[i] = tomlKey{k}
	}
	return keys, err
}

// byteRange is data[start:end].
type byteRange struct{ start, end int }

// profileFields are the keys of a profile; true means a list of texts.
var profileFields = func() map[string]bool {
	fields := map[string]bool{}
	for f := range reflect.TypeFor[Profile]().Fields() {
		fields[fieldName(f)] = f.Type.Kind() == reflect.Slice
	}
	return fields
}()

func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
	return name
}

// check refuses keys that mean nothing here, and values of the wrong type.
func (k tomlKey) check() error {
	if err := k.checkKnown(); err != nil {
		return &lineError{k.Line, err}
	}
	return nil
}

func (k tomlKey) checkKnown() error {
	switch k.Path[0] {
	case "default_profile", "store", "passphrase_file":
		if len(k.Path) == 1 {
			return k.wantText()
		}
	case "defaults":
		return k.checkProfile(k.Path[1:], "[defaults]")
	case "audit":
		return k.checkAudit()
	case "profiles":
		if len(k.Path) == 1 {
			return k.wantTable()
		}
		return k.checkProfile(k.Path[2:], fmt.Sprintf("[profiles.%s]", clients.QuoteKey(k.Path[1])))
	default:
		return unknownTopLevel(k)
	}
	return fmt.Errorf("%s is a text in quotes, not a table", k.Path[0])
}

// checkProfile checks the part of the key that is inside of a profile.
func (k tomlKey) checkProfile(rest []string, table string) error {
	if len(rest) == 0 {
		return k.wantTable()
	}
	list, ok := profileFields[rest[0]]
	switch {
	case isPolicyKey(rest[0]) && table != "[defaults]":
		return k.checkPolicy(rest)
	case isPolicyKey(rest[0]):
		return fmt.Errorf("%s belongs to one profile: put it under [profiles.NAME], or into a file that policy names", rest[0])
	case !ok:
		return fmt.Errorf("unknown key %q in %s%s", rest[0], table, didYouMean(rest[0], fieldNames()))
	case len(rest) > 1 || k.Header:
		return fmt.Errorf("%s in %s is a value, not a table", rest[0], table)
	case list:
		return k.wantList()
	}
	return k.wantText()
}

func (k tomlKey) name() string { return k.Path[len(k.Path)-1] }

func (k tomlKey) wantText() error {
	if k.Kind != unstable.String {
		return fmt.Errorf(`%s must be a text in quotes, like "…"`, k.name())
	}
	return nil
}

func (k tomlKey) wantList() error {
	if k.Kind != unstable.Array || k.Items != unstable.String {
		return fmt.Errorf(`%s must be a list of texts, like ["…", "…"]`, k.name())
	}
	return nil
}

func (k tomlKey) wantTable() error {
	if k.Kind != unstable.Table && k.Kind != unstable.InlineTable {
		return fmt.Errorf("%s must be a table, like [%s]", k.name(), clients.JoinKey(k.Path))
	}
	return nil
}

// unknownTopLevel says what a key outside of the known tables was likely meant
// to be: a key of a profile, a profile without its prefix, or a typing error.
func unknownTopLevel(k tomlKey) error {
	name := k.Path[0]
	if _, ok := profileFields[name]; ok && !k.Header {
		return fmt.Errorf("%s stands outside of a profile: put it under [profiles.NAME] or [defaults]", name)
	}
	known := []string{"audit", "default_profile", "defaults", "passphrase_file", "profiles", "store"}
	if nearest(name, known) == "" && k.Kind == unstable.Table && len(k.Path) == 1 {
		return fmt.Errorf("unknown table [%s]; did you mean [profiles.%s]?", clients.QuoteKey(name), clients.QuoteKey(name))
	}
	return fmt.Errorf("unknown key %q%s", name, didYouMean(name, known))
}

func fieldNames() []string {
	names := make([]string, 0, len(profileFields))
	for name := range profileFields {
		names = append(names, name)
	}
	slices.Sort(names) // so that two equally near names give the same answer each time
	return names
}

// DidYouMean is the end of a sentence about a word that is not known: the known word
// that was meant, or all of them.
func DidYouMean(word string, known []string) string { return didYouMean(word, known) }

func didYouMean(word string, known []string) string {
	if n := nearest(word, known); n != "" {
		return fmt.Sprintf("; did you mean %s?", n)
	}
	return fmt.Sprintf("; known are %s", strings.Join(known, ", "))
}

// nearest returns the known word that is a typing error away from word, or "".
// Case and the choice between - and _ do not count, nor does camelCase.
func nearest(word string, known []string) string {
	best, limit := "", 1+len(word)/4
	plain := func(s string) string { return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s)) }
	for _, k := range known {
		if d := editDistance(plain(word), plain(k)); d <= limit {
			best, limit = k, d-1
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or swap with
// their neighbour (optimal string alignment) that make a into b.
func editDistance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
