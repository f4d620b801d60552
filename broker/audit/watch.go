package audit

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// Watch tells what is added to the files of a folder.
type Watch struct {
	folder Folder
	at     map[string]int64 // how far each file was read
	all    bool             // the next look is at all files
}

// Watch begins to watch: what is there now is not told.
func (f Folder) Watch() (*Watch, error) {
	w := &Watch{folder: f, at: map[string]int64{}}
	days, err := f.days()
	if err != nil {
		return nil, err
	}
	for _, name := range latest(days) {
		if info, err := os.Lstat(filepath.Join(string(f), name)); err == nil {
			w.at[name] = info.Size()
		}
	}
	return w, nil
}

// WatchAll begins to watch, and the first look tells all that is there.
func (f Folder) WatchAll() *Watch { return &Watch{folder: f, at: map[string]int64{}, all: true} }

// latest are the files that may still grow: of the last two days that have any.
func latest(days []day) (names []string) {
	for _, d := range days[max(0, len(days)-2):] {
		names = append(names, d.names...)
	}
	return names
}

// Next returns the lines that were added since the last look, by time. It does not
// wait for any. A file that cannot be read is an error, and is tried again.
func (w *Watch) Next() ([]Line, error) {
	var lines []Line
	err := w.Each(func(line Line) {
		line.Raw = bytes.Clone(line.Raw)
		lines = append(lines, line)
	})
	slices.SortStableFunc(lines, func(a, b Line) int { return a.Record.Time.Compare(b.Record.Time) })
	return lines, err
}

// Each is Next for many lines: one file after the other, each in its order. A line's
// Raw is good until the next.
func (w *Watch) Each(see func(Line)) error {
	days, err := w.folder.days()
	if err != nil {
		return err
	}
	names := latest(days)
	if w.all {
		w.all, names = false, nil
		for _, d := range days {
			names = append(names, d.names...)
		}
	}
	var errs []error
	for _, name := range names {
		if err := w.read(name, see); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, &Error{Op: "read", Path: name, Err: cause(err)})
		}
	}
	return errors.Join(errs...)
}

func (w *Watch) read(name string, see func(Line)) error {
	path := filepath.Join(string(w.folder), name)
	info, err := os.Lstat(path)
	if err != nil || info.Size() == w.at[name] || !info.Mode().IsRegular() {
		return err
	}
	if info.Size() < w.at[name] {
		w.at[name] = info.Size() // it was cut; verify tells of that
		return nil
	}
	file, err := sharedfile.Open(path, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(w.at[name], io.SeekStart); err != nil {
		return err
	}
	next, err := forward(file)
	line := Line{File: name}
	for err == nil {
		var raw []byte
		if raw, err = next(); err == nil { // half a line is being written
			w.at[name] += int64(len(raw)) + 1
			line.parse(raw)
			see(line)
		}
	}
	if err == io.EOF {
		return nil
	}
	return err
}
