package form

// Current is the name of the field at the cursor and what is typed there. ok is
// false for what is not typed.
func (f *Form) Current() (name, typed string, ok bool) {
	row, found := f.row()
	if !found || row.kind != rowField || !row.node.isWord() || f.raw != nil {
		return "", "", false
	}
	return row.node.field.Name, row.node.text, true
}

// Put replaces what is typed at the cursor.
func (f *Form) Put(typed string) {
	if row, found := f.row(); found && row.node.isWord() {
		f.setText(row, typed)
		f.enter()
	}
}

// Offer shows proposals for the field at the cursor, in place of what is known of it.
func (f *Form) Offer(values []string, more bool) {
	f.offered = values
	if more && len(values) > 0 {
		f.offered = append(values[:len(values):len(values)], "…")
	}
}

// Move moves the cursor, from the last field to the first one, too.
func (f *Form) Move(by int) {
	if n := len(f.rows); n > 0 {
		f.goTo((f.Cursor + by + n) % n)
	}
}

// GoToMissing goes to the first field that has to be filled in. It returns the name
// of the field, or nothing.
func (f *Form) GoToMissing() string {
	for _, p := range f.problems {
		if p.missing {
			f.goToNode(p.node)
			return p.node.field.Label
		}
	}
	return ""
}
