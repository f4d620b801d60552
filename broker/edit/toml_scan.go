package edit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// TOMLKey is a table header, or a key with its value, as the file spells it:
// the names are compared exactly, while the TOML library would also take
// "Issuer" for issuer, and the last of the two.
type TOMLKey struct {
	Path   []string      // from the root, quotes undone
	Header bool          // [table] or [[table]], else key = value
	Kind   unstable.Kind // of the value, or of the header
	Items  unstable.Kind // of all the items of an array; Invalid when they differ
	Line   int           // where the key stands, counted from 1

	Start, End           int // its bytes: whole lines, or the bare member of an inline table
	NameStart            int // where the last part of the key begins
	ValueStart, ValueEnd int // bytes of a value
	Inline               int // index of the inline table that it is a member of, or -1
}

// ScanTOML lists all keys of a file without a byte order mark, in its order,
// members of inline tables after the key that holds them. The error is a
// *[LineError].
func ScanTOML(data []byte) ([]TOMLKey, error) {
	s := keyScanner{data: data}
	s.parser.Reset(data)
	var table []string
	for s.parser.NextExpression() {
		node := s.parser.Expression()
		if node.Kind == unstable.KeyValue {
			s.addValue(node, table, -1)
			continue
		}
		path, start, last, end := s.key(node)
		table = path
		lineStart, lineEnd := s.lines(start, end)
		s.keys = append(s.keys, TOMLKey{
			Path: path, Header: true, Kind: node.Kind, Line: s.line(start),
			Start: lineStart, End: lineEnd, NameStart: last, Inline: -1,
		})
	}
	err := s.parser.Error()
	var at *unstable.ParserError
	if errors.As(err, &at) {
		offset := int(s.parser.Range(at.Highlight).Offset)
		return nil, atLine(s.line(min(offset, len(data))), at.Message)
	}
	return s.keys, err
}

type keyScanner struct {
	data   []byte
	parser unstable.Parser
	keys   []TOMLKey
}

// addValue adds a key with a value and, where that is an inline table, its members.
func (s *keyScanner) addValue(node *unstable.Node, parent []string, inline int) {
	path, start, last, keyEnd := s.key(node)
	value := node.Value()
	end := int(node.Raw.Offset + node.Raw.Length)
	k := TOMLKey{
		Path: slices.Concat(parent, path), Kind: value.Kind, Items: itemKind(value), Line: s.line(start),
		Start: start, End: end, NameStart: last, ValueStart: s.afterEquals(keyEnd), ValueEnd: end, Inline: inline,
	}
	if inline < 0 {
		k.Start, k.End = s.lines(start, end)
	}
	s.keys = append(s.keys, k)
	if value.Kind != unstable.InlineTable {
		return
	}
	self := len(s.keys) - 1
	for it := value.Children(); it.Next(); {
		s.addValue(it.Node(), k.Path, self)
	}
}

// key returns the parts of a node's own key, the bytes that they span, and
// where the last of them begins.
func (s *keyScanner) key(node *unstable.Node) (path []string, start, last, end int) {
	start = -1
	for it := node.Key(); it.Next(); {
		part := it.Node()
		path = append(path, string(part.Data))
		last = int(part.Raw.Offset)
		if start < 0 {
			start = last
		}
		end = int(part.Raw.Offset + part.Raw.Length)
	}
	return path, start, last, end
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

// QuoteKey spells one part of a TOML key, in quotes where it needs them.
func QuoteKey(name string) string {
	bare := func(r rune) bool {
		return r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if name != "" && strings.TrimFunc(name, bare) == "" {
		return name
	}
	return fmt.Sprintf("%q", name)
}

// JoinKey spells a TOML key of several parts.
func JoinKey(path []string) string {
	parts := make([]string, len(path))
	for i, part := range path {
		parts[i] = QuoteKey(part)
	}
	return strings.Join(parts, ".")
}
