package audit

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Watch tells what is added to the files of a folder.
type Watch struct {
	folder Folder
	at     map[string]int64 // how far each file was read
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

// latest are the files that may still grow: of the last two days that have any.
func latest(days []day) (names []string) {
	for _, d := range days[max(0, len(days)-2):] {
		names = append(names, d.names...)
	}
	return names
}

// Next returns the lines that were added since the last time, by time. It does not
// wait for any. A file that cannot be read is an error, and is tried again.
func (w *Watch) Next() ([]Line, error) {
	days, err := w.folder.days()
	if err != nil {
		return nil, err
	}
	var lines []Line
	var errs []error
	for _, name := range latest(days) {
		added, err := w.read(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, &Error{Op: "read", Path: name, Err: cause(err)})
		}
		lines = append(lines, added...)
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return a.Record.Time.Compare(b.Record.Time) })
	return lines, errors.Join(errs...)
}

func (w *Watch) read(name string) ([]Line, error) {
	path := filepath.Join(string(w.folder), name)
	info, err := os.Lstat(path)
	if err != nil || info.Size() == w.at[name] || !info.Mode().IsRegular() {
		return nil, err
	}
	if info.Size() < w.at[name] {
		w.at[name] = info.Size() // it was cut; verify tells of that
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.NewSectionReader(file, w.at[name], info.Size()-w.at[name]))
	if err != nil {
		return nil, err
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1] // the rest is being written
	w.at[name] += int64(len(data))
	var lines []Line
	line := Line{File: name}
	for raw := range bytes.Lines(data) {
		line.parse(bytes.TrimSuffix(raw, []byte{'\n'}))
		lines = append(lines, line)
	}
	return lines, nil
}
