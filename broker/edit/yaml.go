package edit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// yamlFormat edits YAML in its syntax tree and writes that: comments stay, blank lines
// and spaces may not. One document; what stands behind an alias is left alone.
type yamlFormat struct{}

func (yamlFormat) parse(data []byte) (map[string]any, error) {
	_, root, err := openYAML(data)
	if err != nil {
		return nil, err
	}
	return readYAML(root)
}

func yamlError(err error) error {
	var at yaml.Error
	if errors.As(err, &at) {
		if t := at.GetToken(); t != nil {
			return atLine(t.Position.Line, at.GetMessage())
		}
		return atLine(1, at.GetMessage())
	}
	return atLine(1, strings.SplitN(err.Error(), "\n", 2)[0])
}

// openYAML parses a file of one document, whose root is nil where it says nothing.
func openYAML(data []byte) (*ast.File, *ast.MappingNode, error) {
	file, err := parser.ParseBytes(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), parser.ParseComments)
	if err != nil {
		return nil, nil, yamlError(err)
	}
	var root ast.Node
	for _, d := range file.Docs {
		if _, comment := d.Body.(*ast.CommentGroupNode); d.Body == nil || comment {
			continue
		}
		if root != nil {
			return nil, nil, atLine(d.Body.GetToken().Position.Line, "it has more than one document")
		}
		root = d.Body
	}
	mapping, ok := root.(*ast.MappingNode)
	if root != nil && !ok {
		return nil, nil, atLine(root.GetToken().Position.Line, "it is not a mapping")
	}
	return file, mapping, nil
}

// find follows a path as far as it is there: pair is the last member of it, found how
// many there are, and mapping what has, or would have, the next one.
func find(root *ast.MappingNode, path []string) (mapping *ast.MappingNode, pair *ast.MappingValueNode, found int, err error) {
	mapping = root
	for i, name := range path {
		n := slices.IndexFunc(mapping.Values, func(v *ast.MappingValueNode) bool { return v.Key.GetToken().Value == name })
		if n < 0 {
			return mapping, pair, i, nil
		}
		pair = mapping.Values[n]
		if i == len(path)-1 {
			break
		}
		switch value := bare(pair.Value).(type) {
		case *ast.MappingNode:
			mapping = value
		case *ast.NullNode:
			return nil, pair, i + 1, nil
		default:
			return nil, nil, i, fmt.Errorf("%s is not a plain mapping", strings.Join(path[:i+1], "."))
		}
	}
	return mapping, pair, len(path), nil
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

// yamlNode is the syntax tree of a text that we wrote.
func yamlNode(text string) (*ast.MappingNode, error) {
	_, root, err := openYAML([]byte(text))
	return root, err
}

func (f yamlFormat) put(data []byte, path []string, value any) ([]byte, error) {
	file, root, err := openYAML(data)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return EndWith(data, strings.TrimSuffix(strings.ReplaceAll(f.fragment(path, value), "\n", LineEnd(data)), LineEnd(data))), nil
	}
	mapping, pair, found, err := find(root, path)
	if err != nil {
		return nil, err
	}
	var gone ast.Node
	switch {
	case found == len(path):
		gone = pair.Value
		err = setYAML(pair, value)
	case mapping == nil: // "extensions:" and nothing
		err = fillYAML(pair, f.fragment(path[found:], value))
	default:
		text := f.fragment(path[found:], value)
		if mapping.IsFlowStyle {
			text = yamlFlow(nested(path[found:], value))
		}
		var added *ast.MappingNode
		if added, err = yamlNode(text); err == nil {
			mapping.Merge(added)
		}
	}
	if err != nil {
		return nil, err
	}
	return writeYAML(data, file, gone)
}

// setYAML replaces the value of a member, on one line unless it was a list on several.
func setYAML(pair *ast.MappingValueNode, value any) error {
	text, flow := "k: "+yamlFlow(value), true
	if old, ok := bare(pair.Value).(*ast.SequenceNode); ok && !old.IsFlowStyle {
		if list, ok := value.([]string); ok && len(list) > 0 {
			flow, text = false, strings.Join(append([]string{"k:"}, yamlItems(list, 0)...), "\n")
		}
	}
	node, err := yamlNode(text)
	if err != nil {
		return err
	}
	put := node.Values[0].Value
	comment := pair.Value.GetComment()
	if _, list := bare(pair.Value).(*ast.SequenceNode); list {
		comment = nil // it stands above the first item
	}
	if flow {
		comment = joined(pair.Key.GetComment(), comment) // beside the key of what had several lines
		if err := pair.Key.SetComment(nil); err != nil {
			return err
		}
	}
	if comment != nil {
		if err := put.SetComment(comment); err != nil {
			return err
		}
	}
	return pair.Replace(put)
}

// yamlUnit is the indentation that we add: that of most files.
const yamlUnit = 2

// fillYAML gives a member that has nothing a mapping.
func fillYAML(pair *ast.MappingValueNode, text string) error {
	node, err := yamlNode(text)
	if err != nil {
		return err
	}
	if comment := pair.Value.GetComment(); comment != nil {
		node.Comment = comment
	}
	node.AddColumn(pair.Key.GetToken().Position.Column - 1 + yamlUnit)
	pair.Value = node
	return nil
}

func (f yamlFormat) cut(data []byte, path []string) ([]byte, error) {
	file, root, err := openYAML(data)
	if err != nil || root == nil {
		return data, err
	}
	mapping, pair, found, err := find(root, path)
	if err != nil || found < len(path) {
		return data, err
	}
	i := slices.Index(mapping.Values, pair)
	keepComments(mapping, i)
	if mapping.Values = slices.Delete(mapping.Values, i, i+1); len(mapping.Values) == 0 && len(path) > 1 {
		if _, above, _, err := find(root, path[:len(path)-1]); err != nil || setYAML(above, Object{}) != nil {
			return nil, errors.New("what it is in would be empty")
		}
	}
	return writeYAML(data, file, pair)
}

// keepComments gives the comments above and below a member to a neighbour.
func keepComments(mapping *ast.MappingNode, i int) {
	pair := mapping.Values[i]
	switch all := mapping.Values; {
	case i+1 < len(all):
		all[i+1].Comment = joined(pair.Comment, pair.FootComment, all[i+1].Comment)
	case i > 0:
		all[i-1].FootComment = joined(all[i-1].FootComment, pair.Comment, pair.FootComment)
	default:
		mapping.Comment = joined(mapping.Comment, pair.Comment, pair.FootComment)
	}
}

func joined(groups ...*ast.CommentGroupNode) (all *ast.CommentGroupNode) {
	for _, group := range groups {
		switch {
		case all == nil:
			all = group
		case group != nil:
			all.Comments = append(all.Comments, group.Comments...)
		}
	}
	return all
}

// writeYAML spells the tree with the line ends of the file. It is refused where a comment
// outside of what went is lost.
func writeYAML(data []byte, file *ast.File, gone ast.Node) ([]byte, error) {
	if bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\r")) {
		return nil, errors.New("it has a carriage return alone")
	}
	text := strings.TrimRight(file.String(), "\n") + "\n"
	left := comments(text)
	if gone != nil {
		left = append(left, comments(gone.String())...)
	}
	for _, one := range comments(string(data)) {
		if !slices.Contains(left, one) {
			return nil, fmt.Errorf("the comment %q would be lost", one)
		}
	}
	return []byte(strings.ReplaceAll(text, "\n", LineEnd(data))), nil
}

func comments(text string) []string {
	var all []string
	for _, t := range lexer.Tokenize(strings.ReplaceAll(text, "\r\n", "\n")) {
		if t.Type == token.CommentType {
			all = append(all, strings.TrimSpace(t.Value))
		}
	}
	return all
}

func (f yamlFormat) fragment(path []string, value any) string {
	return strings.Join(yamlLines(nested(path, value), 0), "\n") + "\n"
}

// nested is a value below the names of a path.
func nested(path []string, value any) Object {
	for i := len(path) - 1; i >= 0; i-- {
		value = Object{{path[i], value}}
	}
	return value.(Object)
}
