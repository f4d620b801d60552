package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

const (
	// backupEnding names the copy of a user's file from before mcpauth first
	// changed it.
	backupEnding = ".mcpauth-backup"

	// A lock folder that a client has not renewed for so long is left over: the
	// rule of proper-lockfile, which Claude Code uses.
	lockDirStale    = 10 * time.Second
	lockDirPatience = 5 * time.Second
	lockDirPoll     = 20 * time.Millisecond
)

// record is the last change that mcpauth made to a client, kept so that it can be undone.
// It holds parts of the client's file, secrets of the user perhaps among them.
type record struct {
	Client string      `json:"client"`
	Scope  string      `json:"scope"`
	File   string      `json:"file"`
	Server string      `json:"server"`
	Op     string      `json:"op"`
	Time   time.Time   `json:"time"`
	Change edit.Change `json:"change"`
}

func (m *Manager) recordFile() string { return filepath.Join(m.StateDir, "clients.json") }

// readRecords returns the changes that can be undone: the last one of each client.
func (m *Manager) readRecords() ([]record, error) {
	data, err := sharedfile.Read(m.recordFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var kept struct{ Changes []record }
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil {
		return nil, &problem.Problem{
			Msg:   fmt.Sprintf("what mcpauth changed of AI clients cannot be read: %s: %v", m.recordFile(), err),
			Hints: []string{"delete the file; changes so far can then only be undone by hand"}, Code: problem.ExitError, Err: err,
		}
	}
	slices.Reverse(kept.Changes) // earlier versions kept more of them, the oldest first
	seen := map[string]bool{}
	return slices.DeleteFunc(kept.Changes, func(r record) bool {
		again := seen[r.Client]
		seen[r.Client] = true
		return again
	}), nil
}

// lastRecord is the last change of a client, if it was one of this entry; else it
// is nil.
func (m *Manager) lastRecord(f clientFile, server string) (*record, error) {
	all, err := m.readRecords()
	if i := slices.IndexFunc(all, func(r record) bool { return r.Client == f.client.ID && r.of(f) && r.Server == server }); i >= 0 {
		return &all[i], err
	}
	return nil, err
}

func (r record) of(f clientFile) bool { return r.Scope == f.place.Scope && r.File == f.file }

func (m *Manager) writeRecords(records []record) error {
	data, err := json.Marshal(map[string]any{"schema": 1, "changes": records})
	if err != nil {
		return err
	}
	return sharedfile.Replace(m.recordFile(), data)
}

func (m *Manager) apply(ctx context.Context, c Change) error {
	unlock, err := sharedfile.Lock(ctx, filepath.Join(m.StateDir, "clients.lock"))
	if err != nil {
		return problem.Unwritable(c.File, err)
	}
	defer unlock()
	if c.place.LockDir != "" {
		release, err := takeLockDir(ctx, c.File+c.place.LockDir, c.ClientName)
		if err != nil {
			return err
		}
		defer release()
	}
	f, err := readPlace(c.client, c.place)
	if err != nil {
		return err
	}
	if f.file != c.File || f.entry(c.Server) != c.was {
		return &problem.Problem{Msg: c.Server + " in " + c.File + " has changed since it was shown, so nothing was written", Hints: []string{"try again"}, Code: problem.ExitError}
	}
	after, stays, err := c.edit.run(f.data)
	if err != nil {
		return oddFile(f, c.Server, err)
	}
	if bytes.Equal(f.data, after) && f.there == stays {
		return nil
	}
	change := edit.ChangeOf(f.data, f.there, after)
	// First what undoes it: a crash in between leaves a record that fits nowhere.
	before, err := m.keepRecord(f, c, change)
	if err != nil {
		return err
	}
	if stays {
		err = writeFile(f, after)
	} else {
		err = removeFile(f.file)
	}
	if err == nil {
		return nil
	}
	if now, _ := os.ReadFile(f.file); !bytes.Equal(now, after) {
		_ = m.writeRecords(before) // nothing was done: it would stand in the way of undoing what was
	}
	return problem.Unwritable(f.file, err)
}

// keepRecord puts the change in the place of the last one of its client. An undo
// leaves none. It returns the records of before.
func (m *Manager) keepRecord(f clientFile, c Change, change edit.Change) (before []record, err error) {
	before, err = m.readRecords()
	if err != nil {
		return nil, err
	}
	records := slices.DeleteFunc(slices.Clone(before), func(r record) bool { return r.Client == c.Client })
	if c.Op != "undo" {
		records = append(records, record{c.Client, c.Scope, f.file, c.Server, c.Op, time.Now().UTC(), change})
	}
	if err := m.writeRecords(records); err != nil {
		return nil, problem.Unwritable(m.recordFile(), err)
	}
	return before, nil
}

// removeFile removes the file that mcpauth once made. If the user has put a
// link in its place since, what it leads to goes, and the link stays.
func removeFile(file string) error {
	target, err := filepath.EvalSymlinks(file)
	if err != nil {
		return err
	}
	return os.Remove(target)
}

var errReadOnly = errors.New("it is read-only")

// readOnly reports whether the user has said that a file is not to be written.
func readOnly(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().Perm()&0o200 == 0
}

// writeFile writes through a symbolic link and keeps the mode.
func writeFile(f clientFile, data []byte) error {
	if readOnly(f.file) {
		return errReadOnly
	}
	if !exists(f.file) && f.place.Scope == ScopeProject {
		if err := os.MkdirAll(filepath.Dir(f.file), 0o755); err != nil {
			return err
		}
	}
	target, err := edit.Target(f.file)
	if err != nil {
		return err
	}
	if err := keepBackup(f); err != nil {
		return err
	}
	return sharedfile.Replace(target, data)
}

// keepBackup copies a user's file once. Files of a project are under version
// control, where a copy would only be in the way. It is for the user alone, since
// it stays when the file's rights are narrowed later.
func keepBackup(f clientFile) error {
	backup := f.file + backupEnding
	if !f.there || f.place.Scope == ScopeProject || exists(backup) {
		return nil
	}
	return os.WriteFile(backup, f.data, 0o600)
}

// takeLockDir makes the folder by which a client keeps others from its file.
func takeLockDir(ctx context.Context, dir, client string) (release func(), err error) {
	deadline := time.Now().Add(lockDirPatience)
	for {
		err := os.Mkdir(dir, 0o700)
		if err == nil {
			return func() { _ = os.Remove(dir) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, problem.Unwritable(dir, err)
		}
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > lockDirStale {
			_ = os.Remove(dir)
			continue
		}
		if time.Now().After(deadline) {
			return nil, &problem.Problem{Msg: fmt.Sprintf("%s is changing its file all the time (%s is there)", client, dir), Hints: []string{"close " + client + " and try again"}, Code: problem.ExitError}
		}
		select {
		case <-time.After(lockDirPoll):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
