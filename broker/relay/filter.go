package relay

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// ListFilter takes elements out of the list of a result.
type ListFilter struct {
	Member string // of the result: tools, prompts, resources…
	Name   string // member of an element that names it: name, uri, uriTemplate, taskId
	// Keep is asked for each element, by its decoded name and its JSON text.
	Keep func(name string, element []byte) bool
	// Private makes cacheScope "private": who else asks may get another list
	// (MCP 2026-07-28, "Caching"). Add says to put it in where it is not there.
	Private, Add bool
}

// Filter returns the line with the elements that the filter keeps; nil means
// that it stays as it is. An element that is no object, or that has no name, two,
// or one that is not UTF-8, is not kept. ok is false when the result cannot be read,
// or has two lists of that name or one whose name resembles it.
func (o *Output) Filter(by ListFilter) (line []byte, ok bool) {
	f := &listFilter{walker: o.walk(), ListFilter: by, line: o.line}
	if f.dec.PeekKind() != '{' {
		return nil, false
	}
	f.result()
	if f.failed {
		return nil, false
	}
	if len(f.edits) == 0 {
		return nil, true
	}
	return edited(o.line, f.edits), true
}

type listFilter struct {
	walker
	ListFilter
	line  []byte
	edits []edit
}

// The members of a result that a filter reads.
const (
	filtered member = iota + 1
	scope
)

func (f *listFilter) result() {
	f.read() // {
	open, empty := f.offset(), true
	names := []protocolName{{f.Member, filtered}, {"cacheScope", scope}}
	var seen [scope + 1]bool
	for !f.failed && f.dec.PeekKind() == '"' {
		empty = false
		quoted, err := f.dec.ReadValue()
		if err != nil {
			break
		}
		which, ok := lookupIn(names, quoted)
		if f.failed = !ok || which != other && seen[which]; f.failed {
			return // the client might show the other
		}
		seen[which] = true
		switch {
		case which == filtered && f.dec.PeekKind() == '[':
			f.list()
		case which == scope && f.Private:
			value, err := f.dec.ReadValue()
			f.failed = f.failed || err != nil
			if end := f.offset(); string(value) != `"private"` {
				f.edits = append(f.edits, edit{span{end - len(value), end}, []byte(`"private"`)})
			}
		default:
			f.skip()
		}
	}
	f.read() // }
	if f.Private && f.Add && !seen[scope] {
		add := edit{span{open, open}, memberText("cacheScope", []byte(`"private"`), !empty)}
		f.edits = append([]edit{add}, f.edits...)
	}
}

func (f *listFilter) list() {
	var cuts []span
	f.read() // [
	cutter := newCutter(&cuts, f.offset())
	for !f.failed && f.dec.PeekKind() != ']' {
		element, err := f.dec.ReadValue()
		if err != nil {
			f.failed = true
			return
		}
		end := f.offset()
		if name, ok := memberOnce(element, f.Name); ok && f.Keep(name, element) {
			cutter.keep(end - len(element))
			cutter.kept(end)
		} else {
			cutter.cut(end)
		}
	}
	cutter.close()
	f.read() // ]
	for _, cut := range cuts {
		f.edits = append(f.edits, edit{cut, nil})
	}
}

// memberOnce returns the text that a member of an object holds. Two of them, or one
// beside another that resembles it, are none: the client might show the other.
func memberOnce(object []byte, name string) (text string, ok bool) {
	if len(object) == 0 || object[0] != '{' {
		return "", false
	}
	g := grammar{maxDepth: maxOutputDepth}
	g.start(object)
	g.open('{')
	found, names := 0, []protocolName{{name, filtered}}
	for first := true; g.each(first, '}'); first = false {
		quoted, _ := g.name()
		if g.flaw != sound {
			break
		}
		which, sure := lookupIn(names, quoted)
		if !sure {
			return "", false
		}
		mine := which == filtered
		g.take(':')
		if g.next() == '"' && mine {
			g.begin()
			g.skip()
			text, found = decodeString(g.token()), found+1
			continue
		}
		if mine {
			found = 2
		}
		g.skip()
	}
	return text, found == 1 && g.flaw == sound && utf8.ValidString(text)
}

// Ref is what a completion/complete is about: params.ref.
func (m *Message) Ref() (kind, name, uri string) {
	return m.decoded(memberRefType), m.decoded(memberRefName), m.decoded(memberRefURI)
}

// TaskID is params.taskId of the tasks/* methods.
func (m *Message) TaskID() string { return m.decoded(memberTaskID) }

// Arguments is the text of params.arguments as the client sent it, or nil.
func (m *Message) Arguments() []byte { return m.text(memberArguments) }

// CanonicalJSON is a JSON text in the one form that all spellings of the same
// value share (RFC 8785). A text with two members of one name has none.
func CanonicalJSON(text []byte) ([]byte, error) {
	value := jsontext.Value(bytes.Clone(text))
	if err := value.Canonicalize(); err != nil {
		return nil, err
	}
	return value, nil
}
