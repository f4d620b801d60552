// Package edit changes JSON, JSON with comments and TOML by offset: every byte that does
// not belong to the change stays. YAML is changed in its syntax tree: comments stay,
// spaces may not. Each edit is parsed and compared with what it was meant to say.
package edit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Object is a value with named members, in order. Values are string, bool, int,
// []string or Object.
type Object []Member

// Member is one of an [Object].
type Member struct {
	Name  string
	Value any
}

// Format is how a file is written.
type Format int

// The formats. JSONC is JSON with comments and trailing commas.
const (
	JSON Format = iota
	JSONC
	TOML
	YAML
)

// String names the format for a person.
func (f Format) String() string { return [...]string{"JSON", "JSON with comments", "TOML", "YAML"}[f] }

// editor changes a text at a path and leaves all other bytes. It may make a
// mistake: its work is parsed and compared.
type editor interface {
	parse(data []byte) (map[string]any, error)
	put(data []byte, path []string, value any) ([]byte, error) // replaces, or adds with all that is missing above it
	cut(data []byte, path []string) ([]byte, error)
	fragment(path []string, value any) string // a text for a file that has nothing else
}

func (f Format) editor() editor {
	return [...]editor{jsonFormat{strict: true}, jsonFormat{}, tomlFormat{}, yamlFormat{}}[f]
}

// Parse reads a file into maps, lists and plain values. A byte order mark and
// an empty file are allowed. The error is a *[LineError] where a line is known.
func (f Format) Parse(data []byte) (map[string]any, error) {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) { // PowerShell likes it
		return nil, atLine(1, "it is UTF-16; save it as UTF-8")
	}
	return f.editor().parse(bytes.TrimPrefix(data, []byte(BOM)))
}

// ErrOdd means that a file is written in a way that cannot be edited without
// changing more than the entry.
var ErrOdd = errors.New("it is written in a way that mcpauth cannot edit")

// Put returns the file with a value at a path: replaced, or added as the last
// member, with all that is missing above it. Every byte that does not belong to
// it stays, but in YAML. An edit that would mean anything else, or that [Format.Cut] could not
// undo, is not returned, but [ErrOdd].
func (f Format) Put(data []byte, path []string, value any) ([]byte, error) {
	isNew := false
	edited, err := f.edit(data, path, func(text []byte) ([]byte, error) { return f.editor().put(text, path, value) },
		func(tree map[string]any) error {
			_, old := At(tree, path[:len(path)-1])[path[len(path)-1]]
			isNew = !old
			return setIn(tree, path, Plain(value))
		})
	if err != nil || !isNew {
		return edited, err
	}
	if _, err := f.Cut(edited, path); err != nil {
		return nil, err
	}
	return edited, nil
}

// Cut returns the file without what is at a path. The objects above it stay,
// empty or not. Every byte that does not belong to it stays, but in YAML; else the
// error is [ErrOdd].
func (f Format) Cut(data []byte, path []string) ([]byte, error) {
	return f.edit(data, path, func(text []byte) ([]byte, error) { return f.editor().cut(text, path) },
		func(tree map[string]any) error { deleteIn(tree, path); return nil })
}

// Fragment is a text to paste into a file of this format.
func (f Format) Fragment(path []string, value any) string { return f.editor().fragment(path, value) }

// edit makes a change twice, in the text and in what it means, and compares.
func (f Format) edit(data []byte, path []string, change func([]byte) ([]byte, error), meant func(map[string]any) error) ([]byte, error) {
	text, mark := bytes.CutPrefix(data, []byte(BOM))
	want, err := f.editor().parse(text)
	if err != nil {
		return nil, err
	}
	if err := meant(want); err != nil {
		return nil, err
	}
	edited, err := change(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOdd, err)
	}
	got, err := f.editor().parse(edited)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOdd, err)
	}
	if f == TOML || f == YAML {
		prune(got, path)
		prune(want, path)
	}
	if !same(got, want) {
		return nil, ErrOdd
	}
	if mark {
		edited = slices.Concat([]byte(BOM), edited)
	}
	return edited, nil
}

// same compares two trees with their types. fmt sorts the names and, unlike
// reflect.DeepEqual, takes NaN for NaN.
func same(a, b map[string]any) bool { return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b) }

// prune removes what stands above a path and is empty: in TOML and YAML, an
// object goes with the last thing in it, or leaves a null.
func prune(tree map[string]any, path []string) {
	for n := len(path) - 1; n > 0; n-- {
		above := At(tree, path[:n-1])
		switch value := above[path[n-1]].(type) {
		case map[string]any:
			if len(value) == 0 {
				delete(above, path[n-1])
			}
		case nil:
			delete(above, path[n-1])
		}
	}
}

// DiffersOnlyAt reports whether two files mean the same but for what is at a
// path, and for empty objects above it.
func (f Format) DiffersOnlyAt(a, b []byte, path []string) bool {
	one, err := f.Parse(a)
	if err != nil {
		return false
	}
	other, err := f.Parse(b)
	if err != nil {
		return false
	}
	for _, tree := range []map[string]any{one, other} {
		deleteIn(tree, path)
		prune(tree, path)
	}
	return same(one, other)
}

// setIn sets a value in a tree. What stands in the way must be an object.
func setIn(tree map[string]any, path []string, value any) error {
	for i, name := range path[:len(path)-1] {
		if tree[name] == nil {
			tree[name] = map[string]any{}
		}
		inner, ok := tree[name].(map[string]any)
		if !ok {
			return fmt.Errorf("%w: %s is not an object", ErrOdd, strings.Join(path[:i+1], "."))
		}
		tree = inner
	}
	tree[path[len(path)-1]] = value
	return nil
}

func deleteIn(tree map[string]any, path []string) {
	for _, name := range path[:len(path)-1] {
		inner, ok := tree[name].(map[string]any)
		if !ok {
			return
		}
		tree = inner
	}
	delete(tree, path[len(path)-1])
}

// At is the object at a path, or nil.
func At(tree map[string]any, path []string) map[string]any {
	for _, name := range path {
		tree, _ = tree[name].(map[string]any)
	}
	return tree
}

// Plain is a value as a parser gives it.
func Plain(value any) any {
	switch v := value.(type) {
	case Object:
		tree := map[string]any{}
		for _, m := range v {
			tree[m.Name] = Plain(m.Value)
		}
		return tree
	case []string:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = item
		}
		return list
	}
	return value
}
