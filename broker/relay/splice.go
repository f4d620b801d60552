package relay

import (
	"cmp"
	"io"
	"slices"
)

// cutter finds the byte ranges that take members out of an object and leave
// the commas of the others right.
type cutter struct {
	cuts    *[]span
	open    int  // behind the opening brace
	end     int  // end of the last member, kept or cut; open before the first
	hasKept bool // a member stays
	leading bool // the members so far are all cut, and not yet noted
}

func newCutter(cuts *[]span, open int) cutter {
	return cutter{cuts: cuts, open: open, end: open}
}

// cut takes out the member whose value ends at end.
func (c *cutter) cut(end int) {
	if c.hasKept {
		*c.cuts = append(*c.cuts, span{c.end, end}) // with the comma before it
	} else {
		c.leading = true
	}
	c.end = end
}

// keep gets the start of a member that stays. If all before it are cut, the
// comma between goes with them.
func (c *cutter) keep(from int) {
	if c.leading {
		*c.cuts = append(*c.cuts, span{c.open, from})
		c.leading = false
	}
	c.hasKept = true
}

// kept gets the end of a member that stays.
func (c *cutter) kept(end int) { c.end = end }

// close reports whether the object holds nothing any more.
func (c *cutter) close() (empty bool) {
	if c.leading {
		*c.cuts = append(*c.cuts, span{c.open, c.end})
	}
	return !c.hasKept
}

// Insertion is what the proxy adds to a call: JSON texts that stand for members
// of params._meta and params.arguments, nil for none.
type Insertion struct {
	Meta     []byte // value of the reserved _meta key
	Argument []byte // value of the reserved argument
}

// edit replaces the range [from, to) by text.
type edit struct {
	span
	text []byte
}

// CanHold reports whether the insertion finds its place in the message. It does
// not when params, _meta or arguments is of a type that cannot hold members.
func (m *Message) CanHold(add Insertion) bool {
	holds := func(text []byte, into object, which member) bool {
		switch {
		case text == nil || into.open > 0:
			return true
		case m.members[which].present():
			return isNull(m.text(which))
		}
		outer := m.objects[paramsObject]
		return outer.open > 0 && !outer.empty
	}
	return holds(add.Meta, m.metaAt, memberMeta) && holds(add.Argument, m.objects[argumentsObject], memberArguments)
}

// Splice appends the message to dst without the client's reserved members and
// with those of add. ok is false when the message cannot hold them.
func (m *Message) Splice(dst []byte, reserved Reserved, add Insertion) (line []byte, ok bool) {
	if !m.CanHold(add) {
		return dst, false
	}
	return m.appendSpliced(dst, m.edits(reserved, add)), true
}

func (m *Message) appendSpliced(dst []byte, edits []edit) []byte {
	at := 0
	for _, e := range edits {
		if e.from > at {
			dst = append(dst, m.read(span{at, e.from})...)
		}
		dst = append(dst, e.text...)
		at = max(at, e.to)
	}
	return append(dst, m.read(span{at, m.size()})...)
}

// spliceTo writes a held message to w as Splice would append it.
func (m *Message) spliceTo(w io.Writer, edits []edit) error {
	buf := make([]byte, spoolPiece)
	at := 0
	for _, e := range edits {
		if err := m.held.copyTo(w, span{at, e.from}, buf); err != nil {
			return err
		}
		if len(e.text) > 0 {
			if _, err := w.Write(e.text); err != nil {
				return err
			}
		}
		at = max(at, e.to)
	}
	return m.held.copyTo(w, span{at, m.held.size}, buf)
}

// edits lists what leaves the message and what comes into it, in the order of
// the line. An insertion stands before the cuts that begin where it does.
func (m *Message) edits(reserved Reserved, add Insertion) []edit {
	if len(m.cuts) == 0 && add.Meta == nil && add.Argument == nil {
		return nil
	}
	edits := m.room[:0]
	m.words = m.words[:0]
	for _, cut := range m.cuts {
		edits = append(edits, edit{span: cut})
	}
	if add.Meta != nil {
		edits = append(edits, m.insertion(m.metaAt, memberMeta, "_meta", reserved.Meta, add.Meta))
	}
	if add.Argument != nil {
		edits = append(edits, m.insertion(m.objects[argumentsObject], memberArguments, "arguments", reserved.Argument, add.Argument))
	}
	if len(edits) > 1 {
		slices.SortStableFunc(edits, func(a, b edit) int {
			return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
		})
	}
	m.room = edits
	return edits
}

// insertion adds key to an object of params: into it, in place of null, or with
// the object itself as the first member of params.
func (m *Message) insertion(into object, which member, name, key string, value []byte) edit {
	from := len(m.words)
	if into.open > 0 {
		m.words = appendMember(m.words, key, value, !into.empty)
		return edit{span{into.open, into.open}, m.words[from:]}
	}
	where := m.members[which]
	if !where.present() {
		outer := m.objects[paramsObject]
		where = span{outer.open, outer.open}
		m.words = append(append(append(m.words, '"'), name...), `":`...)
	}
	m.words = append(appendMember(append(m.words, '{'), key, value, false), '}')
	if where.from == where.to {
		m.words = append(m.words, ',')
	}
	return edit{where, m.words[from:]}
}

func memberText(key string, value []byte, more bool) []byte {
	return appendMember(make([]byte, 0, len(key)+len(value)+4), key, value, more)
}

func appendMember(dst []byte, key string, value []byte, more bool) []byte {
	dst = append(dst, '"')
	dst = append(dst, key...)
	dst = append(dst, '"', ':')
	dst = append(dst, value...)
	if more {
		dst = append(dst, ',')
	}
	return dst
}

// edited is a line with edits, which are in its order.
func edited(line []byte, edits []edit) []byte {
	text := make([]byte, 0, len(line)+64)
	at := 0
	for _, e := range edits {
		text = append(append(text, line[at:e.from]...), e.text...)
		at = e.to
	}
	return append(text, line[at:]...)
}
