package relay

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

// keep is told the start of a member that stays. If all before it are cut, the
// comma between goes with them.
func (c *cutter) keep(from int) {
	if c.leading {
		*c.cuts = append(*c.cuts, span{c.open, from})
		c.leading = false
	}
	c.hasKept = true
}

// kept is told the end of a member that stays.
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

// Splice appends the message to dst without the client's reserved members and
// with those of add. ok is false when params, _meta or arguments is of a type
// that cannot hold members.
func (m *Message) Splice(dst []byte, reserved Reserved, add Insertion) (line []byte, ok bool) {
	var insertions [3]edit
	edits, ok := m.insertions(insertions[:0], reserved, add)
	if !ok {
		return dst, false
	}
	at, cut := 0, 0
	for _, e := range edits {
		dst, at, cut = m.copyUntil(dst, at, cut, e.from)
		dst = append(dst, e.text...)
		at = max(at, e.to)
	}
	dst, at, _ = m.copyUntil(dst, at, cut, len(m.line))
	return append(dst, m.line[at:]...), true
}

// copyUntil copies from at until end, leaving out the cuts from the given one on.
func (m *Message) copyUntil(dst []byte, at, cut, end int) ([]byte, int, int) {
	for cut < len(m.cuts) && m.cuts[cut].from < end {
		dst = append(dst, m.line[at:m.cuts[cut].from]...)
		at = m.cuts[cut].to
		cut++
	}
	if at < end {
		dst = append(dst, m.line[at:end]...)
		at = end
	}
	return dst, at, cut
}

// insertions lists the edits that add the members, in the order of the line.
func (m *Message) insertions(edits []edit, reserved Reserved, add Insertion) ([]edit, bool) {
	if add.Meta != nil {
		e, ok := m.insertion(m.metaAt, memberMeta, "_meta", reserved.Meta, add.Meta)
		if !ok {
			return nil, false
		}
		edits = append(edits, e)
	}
	if add.Argument != nil {
		e, ok := m.insertion(m.objects[argumentsObject], memberArguments, "arguments", reserved.Argument, add.Argument)
		if !ok {
			return nil, false
		}
		edits = append(edits, e)
	}
	if len(edits) == 2 && edits[1].from < edits[0].from {
		edits[0], edits[1] = edits[1], edits[0]
	}
	return edits, true
}

// insertion adds key to an object of params: into it, in place of null, or with
// the object itself as the first member of params.
func (m *Message) insertion(into object, which member, name, key string, value []byte) (edit, bool) {
	if into.open > 0 {
		return edit{span{into.open, into.open}, memberText(key, value, !into.empty)}, true
	}
	whole := append(memberText(key, value, false), '}')
	whole = append([]byte{'{'}, whole...)
	if where := m.members[which]; where.present() {
		return edit{where, whole}, isNull(m.text(which))
	}
	outer := m.objects[paramsObject]
	if outer.open == 0 || outer.empty {
		return edit{}, false // no call that can be named has params without a member
	}
	return edit{span{outer.open, outer.open}, memberText(name, whole, true)}, true
}

func memberText(key string, value []byte, more bool) []byte {
	text := make([]byte, 0, len(key)+len(value)+4)
	text = append(text, '"')
	text = append(text, key...)
	text = append(text, '"', ':')
	text = append(text, value...)
	if more {
		text = append(text, ',')
	}
	return text
}
