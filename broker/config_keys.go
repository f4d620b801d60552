package broker

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// bom is the byte order mark that some Windows editors put first. TOML knows
// none, so it is cut off for reading and kept in an edit.
const bom = "\xef\xbb\xbf"

// tomlKey is a table header, or a key with its value, as the file spells it:
// the names of the fields are compared exactly, while the TOML library would
// also take "Issuer" for issuer, and the last of the two.
type tomlKey struct {
	path   []string      // from the root, quotes undone
	header bool          // [table] or [[table]], else key = value
	kind   unstable.Kind // of the value, or of the header
	items  unstable.Kind // of all the items of an array; Invalid when they differ
	line   int           // where the key stands, counted from 1

	start, end           int // its bytes: whole lines, or the bare member of an inline table
	valueStart, valueEnd int // bytes of a value
	inline               int // index of the inline table that it is a member of, or -1
}

// scanKeys lists all keys of a file without a byte order mark, in its order,
// members of inline tables after the key that holds them.
func scanKeys(data []byte) ([]tomlKey, error) {
	s := keyScanner{data: data}
	s.parser.Reset(data)
	var table []string
	for s.parser.NextExpression() {
		node := s.parser.Expression()
		if node.Kind == unstable.KeyValue {
			s.addValue(node, table, -1)
			continue
		}
		path, start, end := s.key(node)
		table = path
		lineStart, lineEnd := s.lines(start, end)
		s.keys = append(s.keys, tomlKey{
			path: path, header: true, kind: node.Kind, line: s.line(start),
			start: lineStart, end: lineEnd, inline: -1,
		})
	}
	err := s.parser.Error()
	var at *unstable.ParserError
	if errors.As(err, &at) {
		offset := int(s.parser.Range(at.Highlight).Offset)
		return nil, &lineError{s.line(min(offset, len(data))), errors.New(at.Message)}
	}
	return s.keys, err
}

type keyScanner struct {
	data   []byte
	parser unstable.Parser
	keys   []tomlKey
}

// addValue adds a key with a value and, where that is an inline table, its members.
func (s *keyScanner) addValue(node *unstable.Node, parent []string, inline int) {
	path, start, keyEnd := s.key(node)
	value := node.Value()
	end := int(node.Raw.Offset + node.Raw.Length)
	k := tomlKey{
		path: slices.Concat(parent, path), kind: value.Kind, items: itemKind(value), line: s.line(start),
		start: start, end: end, valueStart: s.afterEquals(keyEnd), valueEnd: end, inline: inline,
	}
	if inline < 0 {
		k.start, k.end = s.lines(start, end)
	}
	s.keys = append(s.keys, k)
	if value.Kind != unstable.InlineTable {
		return
	}
	self := len(s.keys) - 1
	for it := value.Children(); it.Next(); {
		s.addValue(it.Node(), k.path, self)
	}
}

// key returns the parts of a node's own key and the bytes that they span.
func (s *keyScanner) key(node *unstable.Node) (path []string, start, end int) {
	start = -1
	for it := node.Key(); it.Next(); {
		part := it.Node()
		path = append(path, string(part.Data))
		if start < 0 {
			start = int(part.Raw.Offset)
		}
		end = int(part.Raw.Offset + part.Raw.Length)
	}
	return path, start, end
}

// afterEquals returns where the value of a key that ends at end begins.
func (s *keyScanner) afterEquals(end int) int {
	end += bytes.IndexByte(s.data[end:], '=') + 1
	return end + len(s.data[end:]) - len(bytes.TrimLeft(s.data[end:], " \t"))
}

// lines widens a range to whole lines, the last line's end included.
func (s *keyScanner) lines(start, end int) (int, int) {
	start = bytes.LastIndexByte(s.data[:start], '\n') + 1
	if i := bytes.IndexByte(s.data[end:], '\n'); i >= 0 {
		return start, end + i + 1
	}
	return start, len(s.data)
}

func (s *keyScanner) line(offset int) int { return bytes.Count(s.data[:offset], []byte("\n")) + 1 }

// itemKind returns the kind that all items of an array have. An empty array
// counts as one of texts.
func itemKind(value *unstable.Node) unstable.Kind {
	if value.Kind != unstable.Array {
		return unstable.Invalid
	}
	for it := value.Children(); it.Next(); {
		if it.Node().Kind != unstable.String {
			return unstable.Invalid
		}
	}
	return unstable.String
}

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
		return &lineError{k.line, err}
	}
	return nil
}

func (k tomlKey) checkKnown() error {
	switch k.path[0] {
	case "default_profile", "store", "passphrase_file":
		if len(k.path) == 1 {
			return k.wantText()
		}
	case "defaults":
		return k.checkProfile(k.path[1:], "[defaults]")
	case "audit":
		return k.checkAudit()
	case "profiles":
		if len(k.path) == 1 {
			return k.wantTable()
		}
		return k.checkProfile(k.path[2:], fmt.Sprintf("[profiles.%s]", quoteKey(k.path[1])))
	default:
		return unknownTopLevel(k)
	}
	return fmt.Errorf("%s is a text in quotes, not a table", k.path[0])
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
	case len(rest) > 1 || k.header:
		return fmt.Errorf("%s in %s is a value, not a table", rest[0], table)
	case list:
		return k.wantList()
	}
	return k.wantText()
}

func (k tomlKey) name() string { return k.path[len(k.path)-1] }

func (k tomlKey) wantText() error {
	if k.kind != unstable.String {
		return fmt.Errorf(`%s must be a text in quotes, like "…"`, k.name())
	}
	return nil
}

func (k tomlKey) wantList() error {
	if k.kind != unstable.Array || k.items != unstable.String {
		return fmt.Errorf(`%s must be a list of texts, like ["…", "…"]`, k.name())
	}
	return nil
}

func (k tomlKey) wantTable() error {
	if k.kind != unstable.Table && k.kind != unstable.InlineTable {
		return fmt.Errorf("%s must be a table, like [%s]", k.name(), joinKey(k.path))
	}
	return nil
}

// unknownTopLevel says what a key outside of the known tables was likely meant
// to be: a key of a profile, a profile without its prefix, or a typing error.
func unknownTopLevel(k tomlKey) error {
	name := k.path[0]
	if _, ok := profileFields[name]; ok && !k.header {
		return fmt.Errorf("%s stands outside of a profile: put it under [profiles.NAME] or [defaults]", name)
	}
	known := []string{"audit", "default_profile", "defaults", "passphrase_file", "profiles", "store"}
	if nearest(name, known) == "" && k.kind == unstable.Table && len(k.path) == 1 {
		return fmt.Errorf("unknown table [%s]; did you mean [profiles.%s]?", quoteKey(name), quoteKey(name))
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

// quoteKey spells one part of a TOML key, in quotes where it needs them.
func quoteKey(name string) string {
	bare := func(r rune) bool {
		return r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if name != "" && strings.TrimFunc(name, bare) == "" {
		return name
	}
	return fmt.Sprintf("%q", name)
}

func joinKey(path []string) string {
	parts := make([]string, len(path))
	for i, part := range path {
		parts[i] = quoteKey(part)
	}
	return strings.Join(parts, ".")
}
