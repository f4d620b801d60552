package audit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// written is a folder with one file of a start and nine calls.
func written(t testing.TB) (dir, path string, lines [][]byte) {
	t.Helper()
	return calls(t, 9)
}

// calls is a folder with one file of a start and this many calls.
func calls(t testing.TB, count int) (dir, path string, lines [][]byte) {
	t.Helper()
	dir = t.TempDir()
	l := open(t, dir)
	for i := range count {
		if err := l.Append(Record{Event: Call, Name: fmt.Sprint("tool", i)}); err != nil {
			t.Fatal(err)
		}
	}
	path = l.segment.path
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	intact(t, dir)
	return dir, path, slices.Collect(bytes.Lines(content(t, dir)))
}

// found are the lines that Verify names.
func found(t testing.TB, dir string) (lines []int) {
	t.Helper()
	v, err := Folder(dir).Verify()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Findings {
		lines = append(lines, f.Line)
	}
	return lines
}

func TestEveryChangedByteIsFoundAndNamed(t *testing.T) {
	dir, path, lines := calls(t, 2)
	whole := bytes.Join(lines, nil)
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		line := 1 + bytes.Count(whole[:i], []byte{'\n'})
		if got := found(t, dir); !slices.Contains(got, line) {
			t.Fatalf("byte %d of line %d: found %v", i, line, got)
		}
	}
}

func TestTamperingIsFoundAndNamed(t *testing.T) {
	forged := func(lines [][]byte, i int, name string) []byte { // with a hash of its own
		r, err := sealed(bytes.TrimSuffix(lines[i], []byte{'\n'}))
		if err != nil {
			t.Fatal(err)
		}
		at := link{seq: r.Seq - 1}
		copy(at.hash[:], r.Prev)
		r.Name = name
		return encode(nil, &r, &at)
	}
	attacks := map[string]struct {
		change func(lines [][]byte) [][]byte
		line   int
	}{
		"removed":         {func(l [][]byte) [][]byte { return slices.Delete(l, 4, 5) }, 5},
		"first removed":   {func(l [][]byte) [][]byte { return l[1:] }, 1},
		"last removed":    {func(l [][]byte) [][]byte { return l[:9] }, 10},
		"half removed":    {func(l [][]byte) [][]byte { return l[:5] }, 6},
		"all removed":     {func([][]byte) [][]byte { return nil }, 1},
		"last cut":        {func(l [][]byte) [][]byte { l[9] = l[9][:20]; return l }, 10},
		"newline removed": {func(l [][]byte) [][]byte { l[9] = bytes.TrimSpace(l[9]); return l }, 10},
		"swapped":         {func(l [][]byte) [][]byte { l[4], l[5] = l[5], l[4]; return l }, 5},
		"doubled":         {func(l [][]byte) [][]byte { return slices.Insert(l, 5, l[4]) }, 6},
		"empty line":      {func(l [][]byte) [][]byte { return slices.Insert(l, 5, []byte("\n")) }, 6},
		"forged":          {func(l [][]byte) [][]byte { l[4] = forged(l, 4, "harmless"); return l }, 5},
		"last forged":     {func(l [][]byte) [][]byte { l[9] = forged(l, 9, "harmless"); return l }, 10},
		"long line":       {func(l [][]byte) [][]byte { l[4] = bytes.Repeat([]byte("x"), 2*maxLine); return l }, 5},
		"white space":     {func(l [][]byte) [][]byte { l[4] = append([]byte(" "), l[4]...); return l }, 5},
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			dir, path, lines := written(t)
			if err := os.WriteFile(path, bytes.Join(attack.change(lines), nil), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := found(t, dir); len(got) == 0 || got[0] != attack.line {
				t.Errorf("found %v, want line %d first", got, attack.line)
			}
		})
	}
}

func TestWholeFilesAreMissed(t *testing.T) {
	attacks := map[string]func(dir, path string) error{
		"removed":     func(_, path string) error { return os.Remove(path) },
		"renamed":     func(dir, path string) error { return os.Rename(path, filepath.Join(dir, "audit-2026-01-01.jsonl")) },
		"no heads":    func(dir, _ string) error { return os.Remove(filepath.Join(dir, tipsName)) },
		"empty heads": func(dir, _ string) error { return os.Truncate(filepath.Join(dir, tipsName), 0) },
		"heads cut":   func(dir, _ string) error { return os.Truncate(filepath.Join(dir, tipsName), 20) },
		"moved":       func(_, path string) error { return os.Rename(path, path+".x") },
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			dir, path, _ := written(t)
			if err := attack(dir, path); err != nil {
				t.Fatal(err)
			}
			if got := found(t, dir); len(got) == 0 {
				t.Error("nothing is found")
			}
		})
	}
}

// The heads file, too, is not changed unseen.
func TestEveryChangedByteOfTheHeadsIsFound(t *testing.T) {
	dir, _, _ := written(t)
	path := filepath.Join(dir, tipsName)
	heads, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, changed []byte) {
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if len(found(t, dir)) == 0 {
			t.Errorf("%s: nothing is found in %s", what, changed)
		}
	}
	for i := range heads {
		changed := bytes.Clone(heads)
		changed[i] ^= 1
		check(fmt.Sprint("byte ", i), changed)
	}
	check("a free line with a name", bytes.Replace(heads, []byte("live"), []byte("free"), 1))
}

// What was changed is left as it is, and not gone on with.
func TestChangedFileIsNotGoneOnWith(t *testing.T) {
	for name, change := range map[string]func(path string, lines [][]byte) error{
		"last removed": func(path string, lines [][]byte) error { return os.WriteFile(path, bytes.Join(lines[:9], nil), 0o600) },
		"added": func(path string, lines [][]byte) error {
			return os.WriteFile(path, append(bytes.Join(lines, nil), "x\n"...), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, path, lines := written(t)
			if err := change(path, lines); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(path)
			l := open(t, dir)
			if err := l.Append(Record{Event: Call}); err != nil {
				t.Fatal(err)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) || l.segment.path == path {
				t.Error("it was gone on with")
			}
			if !bytes.Contains(content(t, dir), []byte(`"damaged":"`+filepath.Base(path))) {
				t.Error("nothing tells of it")
			}
		})
	}
}

// The same while we have it open.
func TestFileChangedUnderUsIsLeft(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for range 2 {
		if err := l.Append(Record{Event: Call}); err != nil {
			t.Fatal(err)
		}
	}
	first := l.segment.path
	if err := os.Truncate(first, l.segment.size-10); err != nil {
		t.Fatal(err)
	}
	l.segment.looked = time.Time{} // a while ago
	if err := l.Append(Record{Event: Call}); err != nil {
		t.Fatal(err)
	}
	if l.segment.path == first {
		t.Error("it was gone on with")
	}
	l.Close()
	if got := found(t, dir); len(got) != 1 {
		t.Errorf("found %v", got)
	}
}

func TestFullFileIsFollowedByAnother(t *testing.T) {
	dir := t.TempDir()
	const size = 5_000
	l, err := Options{Dir: dir, MaxSize: 8 * size}.Open()
	if err != nil {
		t.Fatal(err)
	}
	for range 70 {
		if err := l.Append(Record{Event: Call}); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	files, _ := filepath.Glob(filepath.Join(dir, "audit-*.jsonl"))
	if len(files) < 4 {
		t.Errorf("%d files", len(files))
	}
	for _, path := range files {
		if info, err := os.Stat(path); err != nil || info.Size() > size+1000 {
			t.Errorf("%s has %d bytes", path, info.Size())
		}
	}
	if n := len(readAll(t, dir)); n != 70 {
		t.Errorf("%d records", n)
	}
	intact(t, dir)
}

// One who comes when another has ended goes on with the file, one who comes
// meanwhile takes another.
func TestOneWriterAFile(t *testing.T) {
	dir := t.TempDir()
	first, second := open(t, dir), open(t, dir)
	if first.segment.path == second.segment.path {
		t.Fatal("two hold one file")
	}
	path := first.segment.path
	if err := first.Append(Record{Event: Call}); err != nil {
		t.Fatal(err)
	}
	first.Close()
	third := open(t, dir)
	if third.segment.path != path {
		t.Errorf("%s was left unused", path)
	}
	if err := third.Append(Record{Event: Call}); err != nil {
		t.Fatal(err)
	}
	if v := intact(t, dir); v.Records != 4 { // two starts
		t.Errorf("%d records", v.Records)
	}
}

func TestOldFilesAreRemovedWholeAndOnRecord(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	options := Options{Dir: dir, Keep: 3 * 24 * time.Hour}
	strangers := []string{"audit-2026-05-01.jsonl.gz", "audit-2026-05-1.jsonl", "audit-2026-13-01.jsonl", "notes.txt", "audit-2026-05-01.01.jsonl"}
	for _, name := range strangers {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 8 {
		l := &Log{Options: options, pid: 1, testOnlyNow: func() time.Time { return now }}
		l.MaxSize = DefaultMaxSize
		if err := l.Append(Record{Event: Call}); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		intact(t, dir)
		now = now.AddDate(0, 0, 1)
	}
	for _, name := range strangers {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		os.Remove(filepath.Join(dir, name))
	}
	files, _ := filepath.Glob(filepath.Join(dir, "audit-*.jsonl"))
	if len(files) != 4 || filepath.Base(files[0]) != "audit-2026-06-05.jsonl" {
		t.Errorf("left: %v", files)
	}
	if !strings.Contains(string(content(t, dir)), `"event":"removed","pid":1,"reason":"older than 3 days","file":"audit-2026-06-02.jsonl"`) {
		t.Errorf("the removal is not on record: %s", content(t, dir))
	}
	if heads, _ := os.ReadFile(filepath.Join(dir, tipsName)); len(heads) > 5*tipSize {
		t.Errorf("places are not used again: %s", heads)
	}
}

// A file that somebody holds stays, however old.
func TestHeldFileIsNotRemoved(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	old := &Log{Options: Options{Dir: dir, MaxSize: DefaultMaxSize}, testOnlyNow: clock}
	if err := old.Append(Record{Event: Call}); err != nil {
		t.Fatal(err)
	}
	now = now.AddDate(1, 0, 0)
	l := &Log{Options: Options{Dir: dir, MaxSize: DefaultMaxSize, Keep: time.Hour}, testOnlyNow: clock}
	if err := l.Append(Record{Event: Call}); err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old.segment.path); err != nil {
		t.Error(err)
	}
	l.Close()
	old.Close()
}
