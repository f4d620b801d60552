package edit

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// yamlReader makes plain values of a syntax tree. The library's own decoder
// loses a list that an alias stands for.
type yamlReader struct {
	anchors map[string]ast.Node
	left    int // nodes that may still be read: aliases multiply
}

const maxYAMLNodes = 1_000_000

func readYAML(root *ast.MappingNode) (map[string]any, error) {
	tree := map[string]any{}
	if root == nil {
		return tree, nil
	}
	r := yamlReader{map[string]ast.Node{}, maxYAMLNodes}
	return tree, r.mapping(root, tree)
}

func (r *yamlReader) value(node ast.Node) (any, error) {
	if r.left--; r.left < 0 {
		return nil, r.wrong(node, "its aliases make too much of it")
	}
	switch n := node.(type) {
	case *ast.AnchorNode:
		value, err := r.value(n.Value)
		r.anchors[n.Name.GetToken().Value] = n.Value // after its own content, so that it cannot hold itself
		return value, err
	case *ast.AliasNode:
		to, ok := r.anchors[n.Value.GetToken().Value]
		if !ok {
			return nil, r.wrong(node, "an alias stands for nothing")
		}
		return r.value(to)
	case *ast.TagNode:
		value, err := r.value(n.Value)
		return []any{n.Start.Value, value}, err
	case *ast.MappingNode:
		tree := map[string]any{}
		return tree, r.mapping(n, tree)
	case *ast.SequenceNode:
		list := make([]any, len(n.Values))
		for i, item := range n.Values {
			value, err := r.value(item)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode:
		if number, ok := n.Value.(uint64); ok {
			return int(number), nil
		}
		return n.Value, nil
	case ast.ScalarNode:
		return n.GetValue(), nil
	}
	return nil, r.wrong(node, fmt.Sprintf("it has a %s, which is not known", node.Type()))
}

func (r *yamlReader) mapping(n *ast.MappingNode, tree map[string]any) error {
	for _, pair := range n.Values {
		value, err := r.value(pair.Value)
		if err != nil {
			return err
		}
		if pair.Key.IsMergeKey() {
			merge(tree, value)
			continue
		}
		tree[pair.Key.GetToken().Value] = value
	}
	return nil
}

// merge adds the members of one mapping, or of a list of them. What the mapping
// says itself counts more, before and after.
func merge(tree map[string]any, value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if _, ok := tree[name]; !ok {
				tree[name] = inner
			}
		}
	case []any:
		for _, one := range v {
			merge(tree, one)
		}
	}
}

func (r *yamlReader) wrong(node ast.Node, msg string) error {
	return atLine(node.GetToken().Position.Line, msg)
}
