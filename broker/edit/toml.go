package edit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// tomlFormat edits TOML by the byte ranges of its keys.
type tomlFormat struct{}

func (tomlFormat) parse(data []byte) (map[string]any, error) {
	if _, err := ScanTOML(data); err != nil {
		return nil, err
	}
	tree := map[string]any{}
	err := toml.Unmarshal(data, &tree)
	var at *toml.DecodeError
	if errors.As(err, &at) {
		line, _ := at.Position()
		return nil, atLine(line, strings.TrimPrefix(at.Error(), "toml: "))
	}
	return tree, err
}

func (tomlFormat) put(data []byte, path []string, value any) ([]byte, error) {
	keys, err := ScanTOML(data)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if !k.Header && slices.Equal(k.Path, path) {
			return splice(data, k.ValueStart, k.ValueEnd, tomlValue(value)), nil
		}
	}
	if entry, ok := value.(Object); ok {
		if k, ok := holder(keys, path[:len(path)-1]); ok {
			return putMember(data, keys, k, path, value), nil
		}
		return AppendTOML(data, tomlTable(path, entry)), nil
	}
	return putSibling(data, keys, path, value)
}

// holder finds the inline table with this path.
func holder(keys []TOMLKey, path []string) (int, bool) {
	for i, k := range keys {
		if !k.Header && slices.Equal(k.Path, path) {
			return i, true
		}
	}
	return 0, false
}

// putMember adds a member to the inline table keys[table].
func putMember(data []byte, keys []TOMLKey, table int, path []string, value any) []byte {
	text := QuoteKey(path[len(path)-1]) + " = " + tomlValue(value)
	at := -1
	for _, k := range keys {
		if k.Inline == table {
			at = k.End
		}
	}
	if at < 0 { // it is empty
		return splice(data, keys[table].ValueStart, keys[table].ValueEnd, "{ "+text+" }")
	}
	return splice(data, at, at, ", "+text)
}

// putSibling adds a key after the last value of its table, spelled as that one:
// on a line of its own, with the same dotted prefix, or in the inline table.
func putSibling(data []byte, keys []TOMLKey, path []string, value any) ([]byte, error) {
	parent, name := path[:len(path)-1], path[len(path)-1]
	last := -1
	for i, k := range keys {
		beside := !k.Header && len(k.Path) == len(path) && slices.Equal(k.Path[:len(parent)], parent)
		if beside || k.Header && slices.Equal(k.Path, parent) {
			last = i
		}
	}
	if last < 0 && len(parent) > 0 {
		return putSibling(data, keys, parent, Object{{name, value}})
	} else if last < 0 {
		return nil, fmt.Errorf("there is nothing beside %s", QuoteKey(name))
	}
	k := keys[last]
	if k.Inline >= 0 {
		return splice(data, k.End, k.End, ", "+QuoteKey(name)+" = "+tomlValue(value)), nil
	}
	line := QuoteKey(name) + " = " + tomlValue(value)
	if !k.Header {
		line = string(data[k.Start:k.NameStart]) + line
	}
	if k.End == len(data) {
		return EndWith(data, line), nil
	}
	return splice(data, k.End, k.End, line+LineEnd(data)), nil
}

func (tomlFormat) cut(data []byte, path []string) ([]byte, error) { return CutTOML(data, path) }

func (tomlFormat) fragment(path []string, value any) string {
	entry, ok := value.(Object)
	if !ok {
		return JoinKey(path) + " = " + tomlValue(value) + "\n"
	}
	return tomlTable(path, entry) + "\n"
}

// tomlTable is a table with its header, lines separated by "\n".
func tomlTable(path []string, entry Object) string {
	lines := []string{"[" + JoinKey(path) + "]"}
	for _, m := range entry {
		lines = append(lines, QuoteKey(m.Name)+" = "+tomlValue(m.Value))
	}
	return strings.Join(lines, "\n")
}

// tomlValue spells a value on one line.
func tomlValue(value any) string {
	switch v := value.(type) {
	case Object:
		members := make([]string, len(v))
		for i, m := range v {
			members[i] = QuoteKey(m.Name) + " = " + tomlValue(m.Value)
		}
		return "{ " + strings.Join(members, ", ") + " }"
	case []string:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = tomlText(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		return tomlText(v)
	}
	return fmt.Sprint(value)
}

// tomlText is a basic string: JSON's escapes are TOML's, but for DEL.
func tomlText(text string) string {
	return strings.ReplaceAll(jsonText(text), "\x7f", `\u007F`)
}

// AppendTOML adds a table, whose lines are separated by "\n", after one empty
// line, and ends the file as it ended before: with a line end or without.
// [CutTOML] undoes both.
func AppendTOML(data []byte, table string) []byte {
	eol := LineEnd(data)
	table = strings.TrimSuffix(strings.ReplaceAll(table, "\n", eol), eol)
	switch {
	case len(data) == 0:
		return []byte(table + eol)
	case bytes.HasSuffix(data, []byte("\n")):
		return slices.Concat(data, []byte(eol+table+eol))
	}
	return slices.Concat(data, []byte(eol+eol+table))
}

// CutTOML removes everything at or below the paths, wherever it stands: each
// table from its header to its last key, keys outside of it, members of inline
// tables. Comments around it stay.
func CutTOML(data []byte, paths ...[]string) ([]byte, error) {
	keys, err := ScanTOML(data)
	if err != nil {
		return nil, err
	}
	below := func(path []string) bool {
		return slices.ContainsFunc(paths, func(p []string) bool {
			return len(path) >= len(p) && slices.Equal(path[:len(p)], p)
		})
	}
	var cuts []Range
	inTable, members := false, map[int]bool{}
	for i, k := range keys {
		mine := below(k.Path)
		switch {
		case k.Inline >= 0:
			// A deeper member goes with the one that holds it.
			members[i] = mine && !below(keys[k.Inline].Path)
		case k.Header:
			inTable = mine
			if mine {
				cuts = append(cuts, Range{beforeGap(data, k.Start), k.End})
			}
		case inTable:
			cuts[len(cuts)-1].End = k.End
		case mine:
			cuts = append(cuts, Range{k.Start, k.End})
		}
	}
	for i := range cuts {
		cuts[i].Start = beforeLineEnd(data, cuts[i])
	}
	return Cut(data, append(cuts, memberCuts(keys, members)...)), nil
}

// beforeGap moves the start of a table before the one empty line above it.
func beforeGap(data []byte, start int) int {
	for _, gap := range []string{"\n\r\n", "\n\n"} {
		if bytes.HasSuffix(data[:start], []byte(gap)) {
			return start - len(gap) + 1
		}
	}
	return start
}

// beforeLineEnd moves the start of a range before the line end above it where
// the range ends the file without a line end, so that the file ends so again.
func beforeLineEnd(data []byte, r Range) int {
	if r.End < len(data) || bytes.HasSuffix(data, []byte("\n")) {
		return r.Start
	}
	before := bytes.TrimSuffix(data[:r.Start], []byte("\n"))
	return len(bytes.TrimSuffix(before, []byte("\r")))
}

// memberCuts returns what to cut so that members of an inline table and the
// commas between them go.
func memberCuts(keys []TOMLKey, chosen map[int]bool) []Range {
	var cuts []Range
	siblings := map[int][]int{}
	for i, k := range keys {
		if k.Inline >= 0 {
			siblings[k.Inline] = append(siblings[k.Inline], i)
		}
	}
	for _, members := range siblings {
		kept := -1
		for n, i := range members {
			switch {
			case !chosen[i]:
				kept = i
			case kept >= 0: // with the comma before it
				cuts = append(cuts, Range{keys[kept].End, keys[i].End})
				kept = i
			case n+1 < len(members): // with the comma after it
				cuts = append(cuts, Range{keys[i].Start, keys[members[n+1]].Start})
			default:
				cuts = append(cuts, Range{keys[i].Start, keys[i].End})
			}
		}
	}
	return cuts
}
