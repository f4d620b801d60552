package broker

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mcpauth/mcpauth/broker/clients"
)

// PlanClientRemove removes an entry that runs mcpauth. Errors are *Problem.
func (b *Broker) PlanClientRemove(client, scope, name string) (ClientChange, error) {
	c, err := knownClient(client)
	if err != nil {
		return ClientChange{}, err
	}
	f, s, err := b.holding(c, scope, name)
	if err != nil {
		return ClientChange{}, err
	}
	if _, ours := clients.ParseProxy(s.Argv); !ours {
		return ClientChange{}, &Problem{
			Msg:   fmt.Sprintf("%s in %s does not run mcpauth, so it is left alone", name, c.Name),
			Hints: []string{"remove it by hand in " + f.file}, Code: ExitUsage,
		}
	}
	records, err := b.clientRecords(f, name)
	if err != nil {
		return ClientChange{}, err
	}
	change, err := b.planned(f, "remove", name, func(data []byte) ([]byte, error) { return removeEntry(f, data, name, records) })
	if len(records) > 0 && records[len(records)-1].Op == "wrap" {
		change.Note = fmt.Sprintf("%s was there before mcpauth; to keep it: %s", name, ClientCommand("unwrap", c.ID, f.place.Scope, name))
	}
	return change, err
}

// removeEntry takes back what added the entry, so that the file is as it was, or
// else cuts it out.
func removeEntry(f clientFile, data []byte, name string, records []clientRecord) ([]byte, error) {
	back := data
	for _, r := range slices.Backward(records) {
		undone, err := undoRecord(f, back, r)
		if r.Op != "add" && r.Op != "renew" || errors.Is(err, errNotUndone) {
			break
		}
		if err != nil {
			return nil, err
		}
		back = undone
		tree, err := f.client.Format.Parse(back)
		if err != nil {
			break
		}
		if now := (clientFile{client: f.client, place: f.place, tree: tree}); !lookUpEntry(now, name) {
			return back, nil
		}
	}
	return f.client.Format.Cut(data, f.path(name))
}

// PlanClientUndo takes back the last change that mcpauth made to a client.
// Errors are *Problem.
func (b *Broker) PlanClientUndo(client string) (ClientChange, error) {
	c, err := knownClient(client)
	if err != nil {
		return ClientChange{}, err
	}
	files, err := b.clientFiles(c, "")
	if err != nil {
		return ClientChange{}, err
	}
	records, err := b.readClientRecords()
	if err != nil {
		return ClientChange{}, err
	}
	for _, r := range slices.Backward(records) {
		for _, f := range files {
			if r.Client != c.ID || r.File != f.file || r.Scope != f.place.Scope {
				continue
			}
			return b.planned(f, "undo", r.Server, func(data []byte) ([]byte, error) {
				back, err := undoRecord(f, data, r)
				if errors.Is(err, errNotUndone) {
					return nil, changedSince(f, r)
				}
				return back, err
			})
		}
	}
	return ClientChange{}, &Problem{Msg: "mcpauth has changed nothing of " + c.Name + " that is not undone yet", Code: ExitUsage}
}

func changedSince(f clientFile, r clientRecord) *Problem {
	p := &Problem{
		Msg:  fmt.Sprintf("%s has changed since, where mcpauth changed %s", f.file, r.Server),
		Code: ExitError,
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
func undoRecord(f clientFile, data []byte, r clientRecord) ([]byte, error) {
	back, exact, ok := r.Change.Undo(data)
	switch {
	case exact && r.Change.Created():
		return nil, errFileGoes
	case !ok || !exact && !f.client.Format.DiffersOnlyAt(data, back, f.path(r.Server)):
		return nil, errNotUndone
	}
	return back, nil
}
