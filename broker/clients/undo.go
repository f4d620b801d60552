package clients

import (
	"errors"
	"fmt"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// PlanRemove removes an entry that runs mcpauth. Errors are *problem.Problem.
func (m *Manager) PlanRemove(client, scope, name string) (Change, error) {
	c, err := knownClient(client)
	if err != nil {
		return Change{}, err
	}
	f, s, err := m.holding(c, scope, name)
	if err != nil {
		return Change{}, err
	}
	if _, ours := ParseProxy(s.Argv); !ours {
		return Change{}, &problem.Problem{
			Msg:   fmt.Sprintf("%s in %s does not run mcpauth, so it is left alone", name, c.Name),
			Hints: []string{"remove it by hand in " + f.file}, Code: problem.ExitUsage,
		}
	}
	last, err := m.lastRecord(f, name)
	if err != nil {
		return Change{}, err
	}
	change, err := m.planned(f, "remove", name, func(data []byte) ([]byte, error) { return removeEntry(f, data, name, last) })
	if last != nil && last.Op == "wrap" {
		change.Note = fmt.Sprintf("%s was there before mcpauth; to keep it: %s", name, Command("unwrap", c.ID, f.place.Scope, name))
	}
	return change, err
}

// removeEntry takes back what added the entry, so that the file is as it was, or
// else cuts it out.
func removeEntry(f clientFile, data []byte, name string, last *record) ([]byte, error) {
	if last != nil && last.Op == "add" {
		back, err := undoRecord(f, data, *last)
		if errors.Is(err, errFileGoes) {
			return nil, err
		}
		if tree, parseErr := f.client.Format.Parse(back); err == nil && parseErr == nil {
			if now := (clientFile{client: f.client, place: f.place, tree: tree}); !lookUpEntry(now, name) {
				return back, nil
			}
		}
	}
	return f.client.Format.Cut(data, f.path(name))
}

// PlanUndo takes back the last change that mcpauth made to a client.
// Errors are *problem.Problem.
func (m *Manager) PlanUndo(client string) (Change, error) {
	c, err := knownClient(client)
	if err != nil {
		return Change{}, err
	}
	files, err := m.files(c, "")
	if err != nil {
		return Change{}, err
	}
	records, err := m.readRecords()
	if err != nil {
		return Change{}, err
	}
	for _, r := range records {
		for _, f := range files {
			if r.Client != c.ID || !r.of(f) {
				continue
			}
			return m.planned(f, "undo", r.Server, func(data []byte) ([]byte, error) {
				back, err := undoRecord(f, data, r)
				if errors.Is(err, errNotUndone) {
					return nil, changedSince(f, r)
				}
				return back, err
			})
		}
	}
	return Change{}, &problem.Problem{Msg: "mcpauth has changed nothing of " + c.Name + " that is not undone yet", Code: problem.ExitUsage}
}

func changedSince(f clientFile, r record) *problem.Problem {
	p := &problem.Problem{
		Msg:  fmt.Sprintf("%s has changed since, where mcpauth changed %s", f.file, r.Server),
		Code: problem.ExitError,
	}
	if backup := f.file + backupEnding; exists(backup) {
		p.Hints = []string{"the file as it was before mcpauth first changed it: " + backup}
	}
	return p
}

// errNotUndone is why a change cannot be taken back: its entry has changed since.
var errNotUndone = errors.New("it has changed since")

// undoRecord takes a change out of the text, if nothing but its entry changes. The
// error is errFileGoes where the change made the file, or errNotUndone.
func undoRecord(f clientFile, data []byte, r record) ([]byte, error) {
	back, exact, ok := r.Change.Undo(data)
	switch {
	case exact && r.Change.Created():
		return nil, errFileGoes
	case !ok || !exact && !f.client.Format.DiffersOnlyAt(data, back, f.path(r.Server)):
		return nil, errNotUndone
	}
	return back, nil
}
