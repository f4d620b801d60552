package audit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// counted are the counts of all tools, as texts.
func counted(t *testing.T, f Folder, filter Filter) []ToolStats {
	t.Helper()
	s := f.Stats(filter)
	if len(s.Errs) > 0 {
		t.Fatal(s.Errs)
	}
	return s.Tools()
}

var equalStats = cmp.AllowUnexported(ToolStats{}, Histogram{})

// old makes the files of a folder look as if they had not changed for a while.
func old(t *testing.T, f Folder) {
	t.Helper()
	files, err := f.files()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		at := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(string(f), file.Name), at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// With the index, without it, and with one that was tampered with, the counts are the same.
func TestStatsWithAndWithoutTheIndex(t *testing.T) {
	f := many(t, 300, 20)
	old(t, f)
	begin := time.Date(2026, 6, 1, 23, 0, 0, 0, time.UTC)
	filters := []Filter{{}, {Denied: true}, {Tool: "1*"}, {User: "nobody"}, {Since: begin.Add(100 * time.Second)}, {Denied: true, Tool: "2*"}}
	var want [][]ToolStats
	for _, filter := range filters {
		os.Remove(f.indexPath())
		want = append(want, counted(t, f, filter))
	}
	if len(want[0]) != 300 || len(want[3]) != 0 || len(want[4]) != 201 {
		t.Fatalf("%d, %d, %d", len(want[0]), len(want[3]), len(want[4]))
	}
	check := func(what string) {
		t.Helper()
		for i, filter := range filters {
			if diff := cmp.Diff(want[i], counted(t, f, filter), equalStats); diff != "" {
				t.Errorf("%s, %+v:\n%.1000s", what, filter, diff)
			}
		}
	}
	counted(t, f, Filter{})
	kept, err := os.ReadFile(f.indexPath())
	if err != nil {
		t.Fatal(err)
	}
	check("with the index")
	for what, text := range map[string]string{
		"a number changed": strings.Replace(string(kept), `"Calls":1`, `"Calls":7`, 1),
		"half":             string(kept[:len(kept)/2]),
		"empty":            "",
		"null":             sumOf([]byte(`{"audit-2026-06-01.jsonl":null}`)) + "\n" + `{"audit-2026-06-01.jsonl":null}`,
		"no JSON":          sumOf([]byte("x")) + "\nx",
	} {
		if err := os.WriteFile(f.indexPath(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		check(what)
	}
}

// A file that changed is read again, and verify finds what is wrong whatever the index says.
func TestIndexIsOfTheFileAsItIs(t *testing.T) {
	f := many(t, 50, 1)
	old(t, f)
	before := counted(t, f, Filter{})
	l := &Log{Options: Options{Dir: string(f), MaxSize: 1 << 30}}
	if err := l.Append(Record{Event: Call, Name: "new", Decision: Allow}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	old(t, f)
	if after := counted(t, f, Filter{}); len(after) != len(before)+1 {
		t.Errorf("%d tools, then %d", len(before), len(after))
	}
	path := filepath.Join(string(f), "audit-2026-06-01.jsonl")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"name":"0"`, `"name":"9"`, 1)
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil || changed == string(text) {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if len(found(t, string(f))) == 0 {
		t.Error("verify believes the index")
	}
}

// Check finds what changed, and reads no file twice that did not.
func TestCheckReadsWhatChanged(t *testing.T) {
	f := many(t, 50, 1)
	old(t, f)
	first, err := f.Check()
	if err != nil || len(first.Findings) > 0 {
		t.Fatalf("%v, %v", first.Findings, err)
	}
	again, err := f.Check()
	if err != nil || again.Records != first.Records || again.Files != first.Files || len(again.Findings) > 0 {
		t.Errorf("%+v, then %+v, %v", first, again, err)
	}
	path := filepath.Join(string(f), "audit-2026-06-01.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), `"name":"0"`, `"name":"9"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if changed, err := f.Check(); err != nil || len(changed.Findings) == 0 {
		t.Errorf("%+v, %v", changed, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if gone, err := f.Check(); err != nil || len(gone.Findings) == 0 {
		t.Errorf("%+v, %v", gone, err)
	}
}
