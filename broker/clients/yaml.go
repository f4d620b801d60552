package clients

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// yamlFormat edits YAML by the lines and columns of its syntax tree. One
// document of block or flow style; what stands behind an alias is left alone.
type yamlFormat struct{}

func (yamlFormat) parse(data []byte) (map[string]any, error) {
	y, err := openYAML(data)
	if err != nil {
		return nil, err
	}
	return readYAML(y.root)
}

func yamlError(err error) error {
	var at yaml.Error
	if errors.As(err, &at) {
		if t := at.GetToken(); t != nil {
			return &SyntaxError{t.Position.Line, at.GetMessage()}
		}
		return &SyntaxError{1, at.GetMessage()}
	}
	return &SyntaxError{1, strings.SplitN(err.Error(), "\n", 2)[0]}
}

// unixLines is a text with the line ends that the library counts right.
func unixLines(data []byte) []byte { return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")) }

// yamlText is a document with the offsets of its lines.
type yamlText struct {
	data  []byte
	lines []int // offset of each line's start; one more at the end
	words token.Tokens
	root  ast.Node
	last  struct{ line, column, at int } // that place found: a long line is not counted anew for each word
}

func openYAML(data []byte) (*yamlText, error) {
	words := lexer.Tokenize(string(unixLines(data)))
	file, err := parser.Parse(words, 0)
	if err != nil {
		return nil, yamlError(err)
	}
	y := &yamlText{data: data, words: words}
	for _, d := range file.Docs {
		if d.Body == nil {
			continue
		}
		if y.root != nil {
			return nil, &SyntaxError{d.Body.GetToken().Position.Line, "it has more than one document"}
		}
		y.root = d.Body
	}
	if y.root != nil {
		if _, ok := y.root.(*ast.MappingNode); !ok {
			return nil, &SyntaxError{y.root.GetToken().Position.Line, "it is not a mapping"}
		}
	}
	for at := 0; at < len(data); {
		y.lines = append(y.lines, at)
		next := bytes.IndexByte(data[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	y.lines = append(y.lines, len(data))
	return y, nil
}

// editYAML opens a text for an edit. The library counts lines and columns wrong
// after some odd bytes, such as a carriage return alone: each word has to stand
// where it says.
func editYAML(data []byte) (*yamlText, error) {
	y, err := openYAML(data)
	if err != nil {
		return nil, err
	}
	for i, word := range y.words {
		text := strings.TrimLeft(word.Origin, " \t\n")
		if text == "" || i > 0 && isBlock(y.words[i-1].Type) { // the lines of a block have no place of their own
			continue
		}
		if at, ok := y.place(word.Position); !ok || data[at] != text[0] {
			return nil, fmt.Errorf("what line %d says cannot be found there", word.Position.Line)
		}
	}
	return y, nil
}

func isBlock(t token.Type) bool { return t == token.LiteralType || t == token.FoldedType }

// spot is where a path leads in the tree.
type spot struct {
	mapping *ast.MappingNode      // that has or would have the member
	index   int                   // of the member, or -1
	pair    *ast.MappingValueNode // the member, or the one that holds an empty mapping
	found   int                   // parts of the path that are there
	limit   int                   // first line, counted from 0, that belongs to what follows the mapping
}

func (y *yamlText) find(path []string) (spot, error) {
	s := spot{index: -1, limit: len(y.lines) - 1}
	if y.root == nil {
		return s, nil
	}
	s.mapping = y.root.(*ast.MappingNode)
	for i, name := range path {
		s.index = -1
		for n, pair := range s.mapping.Values {
			if pair.Key.GetToken().Value == name {
				s.index, s.pair = n, pair
			}
		}
		if s.index < 0 || i == len(path)-1 {
			s.found = i
			return s, nil
		}
		if s.index+1 < len(s.mapping.Values) {
			s.limit = s.mapping.Values[s.index+1].Key.GetToken().Position.Line - 1
		}
		switch value := bare(s.pair.Value).(type) {
		case *ast.MappingNode:
			s.mapping = value
		case *ast.NullNode:
			s.mapping, s.index, s.found = nil, -1, i+1
			return s, nil
		default:
			return s, fmt.Errorf("%s is not a plain mapping", strings.Join(path[:i+1], "."))
		}
	}
	return s, nil
}

// bare is a node without its anchor and tag.
func bare(node ast.Node) ast.Node {
	for {
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.TagNode:
			node = n.Value
		default:
			return node
		}
	}
}

// offset of a token's first byte.
func (y *yamlText) offset(t *token.Token) int {
	at, _ := y.place(t.Position)
	return at
}

// place is the offset of a line and column, if there is one.
func (y *yamlText) place(p *token.Position) (at int, ok bool) {
	if p.Line < 1 || p.Line >= len(y.lines) {
		return len(y.data), false
	}
	if y.last.line != p.Line || y.last.column > p.Column {
		y.last.line, y.last.column, y.last.at = p.Line, 1, y.lines[p.Line-1]
	}
	for ; y.last.column < p.Column; y.last.column++ {
		_, size := utf8.DecodeRune(y.data[y.last.at:])
		y.last.at += size
	}
	return y.last.at, y.last.at < y.lines[p.Line]
}

// lineOf is the line, counted from 0, of a token.
func lineOf(t *token.Token) int { return t.Position.Line - 1 }

// lastLine is the line after the last one with content of a mapping whose keys
// have this indentation: blank lines and comments before limit are not its own.
func (y *yamlText) lastLine(from, limit, indent int) int {
	for ; limit > from+1; limit-- {
		line := y.data[y.lines[limit-1]:y.lines[limit]]
		text := bytes.TrimSpace(line)
		shallow := len(line)-len(bytes.TrimLeft(line, " ")) <= indent
		if len(text) > 0 && !(shallow && text[0] == '#') && string(text) != "..." {
			break
		}
	}
	return limit
}

func (f yamlFormat) put(data []byte, path []string, value any) ([]byte, error) {
	y, err := editYAML(data)
	if err != nil {
		return nil, err
	}
	at, err := y.find(path)
	if err != nil {
		return nil, err
	}
	if at.index >= 0 {
		return y.replace(at, value)
	}
	rest := path[at.found:]
	for i := len(rest) - 1; i > 0; i-- {
		value = Object{{rest[i], value}}
	}
	member := Object{{rest[0], value}}
	switch {
	case at.mapping == nil && at.pair == nil: // an empty file
		return y.insertLines(len(y.lines)-1, yamlLines(member, 0)), nil
	case at.mapping == nil: // "extensions:" and nothing
		indent := at.pair.Key.GetToken().Position.Column - 1 + yamlUnit
		return y.insertLines(lineOf(at.pair.Key.GetToken())+1, yamlLines(member, indent)), nil
	case at.mapping.IsFlowStyle:
		end := y.offset(at.mapping.End)
		text := yamlFlow(member)
		text = text[1 : len(text)-1]
		if len(at.mapping.Values) > 0 {
			end = len(bytes.TrimRight(data[:end], " \t\r\n"))
			text = ", " + text
		}
		return splice(data, end, end, text), nil
	}
	first := at.mapping.Values[0].Key.GetToken()
	last := at.mapping.Values[len(at.mapping.Values)-1].Key.GetToken()
	indent := first.Position.Column - 1
	return y.insertLines(y.lastLine(lineOf(last), at.limit, indent), yamlLines(member, indent)), nil
}

// yamlUnit is the indentation that we add: that of most files.
const yamlUnit = 2

// insertLines adds lines before a line.
func (y *yamlText) insertLines(line int, lines []string) []byte {
	eol, at := LineEnd(y.data), y.lines[line]
	if at == len(y.data) {
		return EndWith(y.data, strings.Join(lines, eol))
	}
	return splice(y.data, at, at, strings.Join(lines, eol)+eol)
}

// replace sets the value of a member.
func (y *yamlText) replace(at spot, value any) ([]byte, error) {
	node := bare(at.pair.Value)
	if node.Type() == ast.NullType && node.GetToken().Type == token.ImplicitNullType {
		end := y.offset(at.pair.Start) + len(":")
		return splice(y.data, end, end, " "+yamlFlow(value)), nil
	}
	if sequence, ok := node.(*ast.SequenceNode); ok && !sequence.IsFlowStyle {
		list, ok := value.([]string)
		if !ok {
			return nil, errors.New("a list is no text")
		}
		return y.replaceBlock(at, sequence, list)
	}
	start, end, err := y.span(node)
	if err != nil {
		return nil, err
	}
	return splice(y.data, start, end, yamlFlow(value)), nil
}

// replaceBlock replaces a list that has a line for each item.
func (y *yamlText) replaceBlock(at spot, old *ast.SequenceNode, list []string) ([]byte, error) {
	start := y.lines[lineOf(old.Start)]
	if !firstOnLine(y.data, y.offset(old.Start)) {
		return nil, errors.New("the list does not begin on a line of its own")
	}
	limit := at.limit
	if at.index+1 < len(at.mapping.Values) {
		limit = lineOf(at.mapping.Values[at.index+1].Key.GetToken())
	}
	indent := old.Start.Position.Column - 1
	line := y.lastLine(lineOf(old.Start), limit, indent)
	eol := LineEnd(y.data)
	text := strings.Join(yamlItems(list, indent), eol)
	if bytes.HasSuffix(y.data[:y.lines[line]], []byte("\n")) {
		text += eol
	}
	return splice(y.data, start, y.lines[line], text), nil
}

// span is where a value in flow style, or a scalar on one line, stands.
func (y *yamlText) span(node ast.Node) (start, end int, err error) {
	t := node.GetToken()
	start = y.offset(t)
	switch n := node.(type) {
	case *ast.AliasNode:
		_, end, err = y.span(n.Value)
		return start, end, err
	case *ast.SequenceNode:
		return start, y.offset(n.End) + 1, nil
	case *ast.MappingNode:
		if n.IsFlowStyle {
			return start, y.offset(n.End) + 1, nil
		}
		return 0, 0, errors.New("it is not on one line")
	}
	switch quote := y.data[start]; {
	case quote == '"' || quote == '\'':
		end, ok := quoted(y.data[start:], quote)
		if !ok {
			return 0, 0, errors.New("a quote has no end")
		}
		return start, start + end, nil
	case bytes.HasPrefix(y.data[start:], []byte(t.Value)) && t.Value != "":
		return start, start + len(t.Value), nil
	}
	return 0, 0, errors.New("it is not on one line")
}

// quoted is the length of a scalar in quotes.
func quoted(text []byte, quote byte) (int, bool) {
	for i := 1; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			i++
		case text[i] == quote && quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1, true
		}
	}
	return 0, false
}

func (f yamlFormat) cut(data []byte, path []string) ([]byte, error) {
	y, err := editYAML(data)
	if err != nil {
		return nil, err
	}
	at, err := y.find(path)
	if err != nil {
		return nil, err
	}
	if at.index < 0 {
		return data, nil
	}
	if at.mapping.IsFlowStyle {
		return y.cutFlow(at)
	}
	key := at.pair.Key.GetToken()
	if !firstOnLine(data, y.offset(key)) {
		return nil, errors.New("the entry does not begin on a line of its own")
	}
	limit := at.limit
	if at.index+1 < len(at.mapping.Values) {
		limit = lineOf(at.mapping.Values[at.index+1].Key.GetToken())
	}
	end := y.lines[y.lastLine(lineOf(key), limit, key.Position.Column-1)]
	r := Range{y.lines[lineOf(key)], end}
	r.Start = beforeLineEnd(data, r)
	return Cut(data, []Range{r}), nil
}

// cutFlow removes a member of a mapping in braces with the comma before or after it.
func (y *yamlText) cutFlow(at spot) ([]byte, error) {
	start := y.offset(at.pair.Key.GetToken())
	_, end, err := y.span(bare(at.pair.Value))
	if err != nil {
		return nil, err
	}
	all := at.mapping.Values
	switch {
	case at.index > 0:
		if _, start, err = y.span(bare(all[at.index-1].Value)); err != nil {
			return nil, err
		}
	case len(all) > 1:
		end = y.offset(all[1].Key.GetToken())
	}
	return Cut(y.data, []Range{{start, end}}), nil
}

func (f yamlFormat) fragment(path []string, value any) string {
	for i := len(path) - 1; i >= 0; i-- {
		value = Object{{path[i], value}}
	}
	return strings.Join(yamlLines(value.(Object), 0), "\n") + "\n"
}
