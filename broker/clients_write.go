package broker

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

	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/keychain"
)

const (
	// backupEnding names the copy of a user's file from before mcpauth first
	// changed it.
	backupEnding = ".mcpauth-backup"
	// maxClientRecords bounds the changes that can be undone.
	maxClientRecords = 100

	// A lock folder that a client has not renewed for so long is left over: the
	// rule of proper-lockfile, which Claude Code uses.
	lockDirStale    = 10 * time.Second
	lockDirPatience = 5 * time.Second
	lockDirPoll     = 20 * time.Millisecond
)

// clientRecord is one change that mcpauth made, kept so that it can be undone.
// It holds parts of the client's file, secrets of the user perhaps among them.
type clientRecord struct {
	Client string         `json:"client"`
	Scope  string         `json:"scope"`
	File   string         `json:"file"`
	Server string         `json:"server"`
	Op     string         `json:"op"`
	Time   time.Time      `json:"time"`
	Change clients.Change `json:"change"`
}

func (b *Broker) clientRecordFile() string { return filepath.Join(b.Paths.StateDir, "clients.json") }

// readClientRecords returns the changes that can be undone, the oldest first.
func (b *Broker) readClientRecords() ([]clientRecord, error) {
	data, err := os.ReadFile(b.clientRecordFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var kept struct{ Changes []clientRecord }
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil {
		return nil, &Problem{
			Msg:   fmt.Sprintf("what mcpauth changed of AI clients cannot be read: %s: %v", b.clientRecordFile(), err),
			Hints: []string{"delete the file; changes so far can then only be undone by hand"}, Code: ExitError, Err: err,
		}
	}
	return kept.Changes, nil
}

// clientRecords are the changes of one entry, the oldest first.
func (b *Broker) clientRecords(f clientFile, server string) ([]clientRecord, error) {
	all, err := b.readClientRecords()
	return slices.DeleteFunc(all, func(r clientRecord) bool {
		return r.Client != f.client.ID || r.Scope != f.place.Scope || r.File != f.file || r.Server != server
	}), err
}

func (b *Broker) writeClientRecords(records []clientRecord) error {
	records = records[max(0, len(records)-maxClientRecords):]
	data, err := json.Marshal(map[string]any{"schema": 1, "changes": records})
	if err != nil {
		return err
	}
	return keychain.ReplaceFile(b.clientRecordFile(), data)
}

func (b *Broker) applyClient(ctx context.Context, c ClientChange) error {
	unlock, err := keychain.Lock(ctx, filepath.Join(b.Paths.StateDir, "clients.lock"))
	if err != nil {
		return unwritable(c.File, err)
	}
	defer unlock()
	if c.place.LockDir != "" {
		release, err := takeLockDir(ctx, c.File+c.place.LockDir, c.ClientName)
		if err != nil {
			return err
		}
		defer release()
	}
	f, err := readClientFile(c.client, c.place)
	if err != nil {
		return err
	}
	if f.file != c.File || f.entry(c.Server) != c.was {
		return &Problem{Msg: c.Server + " in " + c.File + " has changed since it was shown, so nothing was written", Hints: []string{"try again"}, Code: ExitError}
	}
	after, stays, err := c.edit.run(f.data)
	if err != nil {
		return oddFile(f, c.Server, err)
	}
	if bytes.Equal(f.data, after) && f.there == stays {
		return nil
	}
	change := clients.ChangeOf(f.data, f.there, after)
	// First what undoes it: a crash in between leaves a record that fits nowhere.
	before, err := b.keepRecord(f, c, change)
	if err != nil {
		return err
	}
	if stays {
		err = writeClientFile(f, after)
	} else {
		err = removeClientFile(f.file)
	}
	if err == nil {
		return nil
	}
	if now, _ := os.ReadFile(f.file); !bytes.Equal(now, after) {
		_ = b.writeClientRecords(before) // nothing was done: it would stand in the way of undoing what was
	}
	return unwritable(f.file, err)
}

// keepRecord adds the change to those that can be undone, or takes the one away
// that it undoes. It returns those of before.
func (b *Broker) keepRecord(f clientFile, c ClientChange, change clients.Change) (before []clientRecord, err error) {
	before, err = b.readClientRecords()
	if err != nil {
		return nil, err
	}
	records := slices.Clone(before)
	r := clientRecord{c.Client, c.Scope, f.file, c.Server, c.Op, time.Now().UTC(), change}
	if c.Op == "undo" {
		for i, old := range slices.Backward(records) {
			if old.Client == r.Client && old.Scope == r.Scope && old.File == r.File {
				records = slices.Delete(records, i, i+1)
				break
			}
		}
	} else {
		records = append(records, r)
	}
	if err := b.writeClientRecords(records); err != nil {
		return nil, unwritable(b.clientRecordFile(), err)
	}
	return before, nil
}

// removeClientFile removes the file that mcpauth once made. If the user has put a
// link in its place since, what it leads to goes, and the link stays.
func removeClientFile(file string) error {
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

// writeClientFile writes through a symbolic link and keeps the mode.
func writeClientFile(f clientFile, data []byte) error {
	if readOnly(f.file) {
		return errReadOnly
	}
	if !exists(f.file) && f.place.Scope == clients.ScopeProject {
		if err := os.MkdirAll(filepath.Dir(f.file), 0o755); err != nil {
			return err
		}
	}
	target, err := editTarget(f.file)
	if err != nil {
		return err
	}
	if err := keepBackup(f); err != nil {
		return err
	}
	return keychain.ReplaceFile(target, data)
}

// keepBackup copies a user's file once. Files of a project are under version
// control, where a copy would only be in the way. It is for the user alone, since
// it stays when the file's rights are narrowed later.
func keepBackup(f clientFile) error {
	backup := f.file + backupEnding
	if !f.there || f.place.Scope == clients.ScopeProject || exists(backup) {
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
			return nil, unwritable(dir, err)
		}
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > lockDirStale {
			_ = os.Remove(dir)
			continue
		}
		if time.Now().After(deadline) {
			return nil, &Problem{Msg: fmt.Sprintf("%s is changing its file all the time (%s is there)", client, dir), Hints: []string{"close " + client + " and try again"}, Code: ExitError}
		}
		select {
		case <-time.After(lockDirPoll):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
