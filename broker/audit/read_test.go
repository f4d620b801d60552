package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scattered is a folder with records of three writers and two days, named by their
// order in time.
func scattered(t *testing.T) Folder {
	t.Helper()
	dir := t.TempDir()
	now := time.Date(2026, 6, 1, 23, 59, 50, 0, time.UTC)
	writers := []*Log{}
	for range 3 {
		l := &Log{Options: Options{Dir: dir, MaxSize: DefaultMaxSize}, testOnlyNow: func() time.Time { return now }}
		t.Cleanup(func() { l.Close() })
		writers = append(writers, l)
	}
	for i := range 30 {
		if err := writers[i*7%3].Append(Record{Event: Call, Name: fmt.Sprintf("%02d", i)}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	return Folder(dir)
}

func names(lines []Line) (names []string) {
	for _, l := range lines {
		if l.Record.Event == Call {
			names = append(names, l.Record.Name)
		}
	}
	return names
}

func collect(t *testing.T, seq func(func(Line, error) bool)) (lines []Line) {
	t.Helper()
	for line, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestFilesAreReadByTime(t *testing.T) {
	f := scattered(t)
	var want []string
	for i := range 30 {
		want = append(want, fmt.Sprintf("%02d", i))
	}
	if diff := cmp.Diff(want, names(collect(t, f.Since(time.Time{})))); diff != "" {
		t.Error(diff)
	}
	back := names(collect(t, f.Back(time.Time{})))
	slices.Reverse(back)
	if diff := cmp.Diff(want, back); diff != "" {
		t.Error(diff)
	}
	from := time.Date(2026, 6, 2, 0, 0, 5, 0, time.UTC)
	if diff := cmp.Diff(want[15:], names(collect(t, f.Since(from)))); diff != "" {
		t.Error(diff)
	}
	back = names(collect(t, f.Back(from)))
	slices.Reverse(back)
	if diff := cmp.Diff(want[15:], back); diff != "" {
		t.Error(diff)
	}
	for line := range f.Back(time.Time{}) {
		if line.Record.Name != "29" {
			t.Errorf("the newest is %+v", line.Record)
		}
		break
	}
}

func TestEmptyAndMissingFoldersAreEmpty(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "audit-2026-06-01.jsonl"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range []Folder{Folder(dir), Folder(filepath.Join(dir, "missing"))} {
		if n := len(collect(t, f.Since(time.Time{}))) + len(collect(t, f.Back(time.Time{}))); n != 0 {
			t.Errorf("%d lines", n)
		}
		intact(t, string(f))
	}
}

func TestBrokenLinesAreReported(t *testing.T) {
	dir, path, lines := written(t)
	lines[3] = []byte("{broken\n")
	lines[5] = []byte("{}\n")
	lines[9] = lines[9][:30] // half a line at the end is none
	if err := os.WriteFile(path, slices.Concat(lines...), 0o600); err != nil {
		t.Fatal(err)
	}
	var broken []int
	all := collect(t, Folder(dir).Since(time.Time{}))
	for _, l := range all {
		if l.Err != nil {
			broken = append(broken, l.Number)
		}
	}
	if !slices.Equal(broken, []int{4, 6}) || len(all) != 9 {
		t.Errorf("broken %v of %d", broken, len(all))
	}
	if n := len(collect(t, Folder(dir).Back(time.Time{}))); n != 9 {
		t.Errorf("%d lines from the end", n)
	}
}

// The reader from the end and the one from the beginning agree, whatever the
// lengths of the lines.
func TestLinesAcrossChunks(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for i := range 200 {
		value := strings.Repeat("v", i*37%512)
		r := Record{Event: Call, Name: fmt.Sprint(i)}
		for j := range i % 12 {
			r.Arguments = append(r.Arguments, Argument{Name: fmt.Sprint(j), Value: value})
		}
		if err := l.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	there, back := names(collect(t, Folder(dir).Since(time.Time{}))), names(collect(t, Folder(dir).Back(time.Time{})))
	slices.Reverse(back)
	if diff := cmp.Diff(there, back); diff != "" || len(there) != 200 {
		t.Errorf("%d lines: %s", len(there), diff)
	}
}

func TestWatchTellsWhatIsAdded(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	if err := l.Append(Record{Event: Call, Name: "before"}); err != nil {
		t.Fatal(err)
	}
	w, err := Folder(dir).Watch()
	if err != nil {
		t.Fatal(err)
	}
	other := open(t, dir)
	for i, l := range []*Log{l, other, l} {
		if err := l.Append(Record{Event: Call, Name: fmt.Sprint(i), Time: time.Now().Add(time.Duration(i) * time.Millisecond)}); err != nil {
			t.Fatal(err)
		}
	}
	l.segment.file.WriteString(`{"half`)
	for _, want := range [][]string{{"0", "1", "2"}, nil} {
		lines, err := w.Next()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, names(lines)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestResultsComeTogetherAndWithClose(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	if err := l.Append(Record{Event: Call}); err != nil {
		t.Fatal(err)
	}
	writes := 0
	l.testOnlyWrite = func(line []byte) (int, error) { writes++; return l.segment.file.Write(line) }
	for range 20 {
		l.AppendAsync(Outcome{Call: "x", Status: OK})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(readAll(t, dir)); n != 21 || writes != 1 {
		t.Errorf("%d records, %d writes", n, writes)
	}
	intact(t, dir)
}

func TestResultsAreWrittenSoon(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	l.AppendAsync(Outcome{Call: "x"})
	for end := time.Now().Add(5 * time.Second); len(readAll(t, dir)) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not written")
		}
	}
	intact(t, dir)
}

// Results that could not be written stay where they are when the next call can be.
func TestACallAfterAFullDiskLosesNoResult(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	l.testOnlyWrite = func([]byte) (int, error) { return 0, os.ErrInvalid }
	for range 20 {
		l.AppendAsync(Outcome{Call: "x"})
	}
	if l.Flush() == nil {
		t.Error("Flush on a full disk is no error")
	}
	l.mu.Lock()
	l.testOnlyWrite = nil
	l.mu.Unlock()
	if err := l.Append(Record{Event: Call}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(readAll(t, dir)); n != 21 {
		t.Errorf("%d records", n)
	}
	intact(t, dir)
}

// A call takes results along only when so many wait that they would be lost.
func TestManyResultsGoWithACall(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	l.armed = true // so that no timer comes between
	if err := l.Append(Record{Event: Call}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ results, records int }{{asyncMany - 1, 2}, {1, 3 + asyncBatch}} {
		for range want.results {
			l.AppendAsync(Outcome{Call: "x"})
		}
		if err := l.Append(Record{Event: Call}); err != nil {
			t.Fatal(err)
		}
		if n := len(readAll(t, dir)); n != want.records {
			t.Errorf("%d records, not %d", n, want.records)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(readAll(t, dir)); n != 3+asyncMany {
		t.Errorf("%d records", n)
	}
	intact(t, dir)
}

// A disk that is full for a while loses no result, and one that stays full tells how
// many it lost.
func TestResultsWaitForAFullDisk(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	l.testOnlyWrite = func([]byte) (int, error) { return 0, os.ErrInvalid }
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for range asyncMost/2 + 5 {
				l.AppendAsync(Outcome{Call: "x"})
			}
		})
	}
	all.Wait()
	if l.Flush() == nil {
		t.Error("Flush on a full disk is no error")
	}
	l.mu.Lock()
	l.testOnlyWrite = nil
	l.mu.Unlock()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(readAll(t, dir)); n != asyncMost+1 || !strings.Contains(string(content(t, dir)), "10 results could not be recorded") {
		t.Errorf("%d records", n)
	}
	intact(t, dir)
}

func TestKeyIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.key")
	hashes := make([]string, 8)
	var all sync.WaitGroup
	for i := range hashes {
		all.Go(func() {
			key, err := OpenKey(path)
			if err != nil {
				t.Error(err)
				return
			}
			hashes[i] = key.Hash([]byte("5"))
			if again := key.Hash([]byte("5")); again != hashes[i] {
				t.Errorf("%s, and then %s", hashes[i], again)
			}
		})
	}
	all.Wait()
	if same := slices.Compact(slices.Clone(hashes)); len(same) != 1 || len(same[0]) != 16 {
		t.Errorf("%v", hashes)
	}
	other, err := OpenKey(filepath.Join(t.TempDir(), "audit.key"))
	if err != nil || other.Hash([]byte("5")) == hashes[0] {
		t.Errorf("another machine's hash is the same: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != keySize {
		t.Error(info, err)
	}
}
