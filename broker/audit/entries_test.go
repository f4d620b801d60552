package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// many is a folder with so many calls of three writers, a second apart. The result of each
// comes after so many other calls; each seventh has none, each eleventh was refused.
func many(t *testing.T, calls, apart int) Folder {
	t.Helper()
	dir := t.TempDir()
	now := time.Date(2026, 6, 1, 23, 0, 0, 0, time.UTC)
	var writers []*Log
	for range 3 {
		l := &Log{Options: Options{Dir: dir, MaxSize: 1 << 30}, testOnlyNow: func() time.Time { return now }}
		writers = append(writers, l)
	}
	var ids IDs
	var made []string
	for i := range calls + apart {
		now = now.Add(time.Second)
		if i < calls {
			id, decision := ids.Next(now), Allow
			if i%11 == 0 {
				decision = Deny
			}
			made = append(made, id)
			if err := writers[i%3].Append(Record{Event: Call, ID: id, Name: fmt.Sprint(i), Decision: decision}); err != nil {
				t.Fatal(err)
			}
		}
		if of := i - apart; of >= 0 && of%7 != 0 && of%11 != 0 {
			writers[of%3].AppendAsync(Outcome{Call: made[of], Time: now.Add(time.Millisecond), Status: OK, Code: of})
			if err := writers[of%3].Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, l := range writers { // Windows removes no file that is open
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return Folder(dir)
}

// told are the entries as texts: the name, and how it went.
func told(t *testing.T, seq func(func(Entry, error) bool)) (texts []string) {
	t.Helper()
	for e, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		text := e.Record.Name + " " + e.Outcome()
		if e.Record.Event == Result {
			text = fmt.Sprint("late ", e.Record.Code)
		}
		if e.Result != nil && fmt.Sprint(e.Result.Record.Code) != e.Record.Name {
			t.Fatalf("%s has the result of %d", e.Record.Name, e.Result.Record.Code)
		}
		texts = append(texts, text)
	}
	return texts
}

// From both ends the same is read, and each call has its own result, however many are
// between.
func TestEntriesFromBothEnds(t *testing.T) {
	for _, apart := range []int{0, 1, 50} {
		f := many(t, 200, apart)
		var want []string
		for i := range 200 {
			outcome := OK
			switch {
			case i%11 == 0:
				outcome = Deny
			case i%7 == 0:
				outcome = "sent"
			}
			want = append(want, fmt.Sprint(i, " ", outcome))
		}
		newest := told(t, f.Newest(Filter{}, 0))
		slices.Reverse(newest)
		if diff := cmp.Diff(want, newest); diff != "" {
			t.Errorf("%d apart, newest first:\n%s", apart, diff)
		}
		if diff := cmp.Diff(want, told(t, f.Oldest(Filter{}, 0))); diff != "" {
			t.Errorf("%d apart, oldest first:\n%s", apart, diff)
		}
		if diff := cmp.Diff(want[190:], told(t, f.Oldest(Filter{}, 10))); diff != "" {
			t.Errorf("%d apart, the newest ten:\n%s", apart, diff)
		}
	}
}

// A result that is too far from its call is an entry of its own, and no call is shown as
// what it was not.
func TestResultsFarFromTheirCalls(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	now := time.Now().Add(-time.Hour)
	var ids IDs
	first := ids.Next(now)
	if err := l.Append(Record{Event: Call, ID: first, Time: now, Name: "slow", Decision: Allow}); err != nil {
		t.Fatal(err)
	}
	const between = 2 * maxJoin
	for i := range between {
		now = now.Add(time.Millisecond)
		batch, err := l.Queue(Record{Event: Call, ID: ids.Next(now), Time: now, Name: fmt.Sprint(i), Decision: Deny})
		if err != nil || i == between-1 && batch.Commit() != nil {
			t.Fatal(err)
		}
	}
	l.AppendAsync(Outcome{Call: first, Time: now.Add(time.Millisecond), Status: ToolError, Code: 7})
	l.Close()
	oldest := told(t, Folder(dir).Oldest(Filter{}, 0))
	if oldest[0] != "slow sent" || oldest[len(oldest)-1] != "late 7" || len(oldest) != between+2 {
		t.Errorf("%d: %s … %s", len(oldest), oldest[0], oldest[len(oldest)-1])
	}
	last := Entry{}
	for e := range Folder(dir).Newest(Filter{}, 0) {
		last = e
	}
	if last.Outcome() != ToolError {
		t.Errorf("newest first: %s", last.Outcome())
	}
	if e, ok, errs := Folder(dir).Find(first); !ok || e.Outcome() != ToolError || len(errs) > 0 {
		t.Errorf("%v %v %v", e.Outcome(), ok, errs)
	}
}

// What is read before a moment is not read, wherever that lies in the file.
func TestSeekTime(t *testing.T) {
	f := many(t, 3000, 2)
	all := told(t, f.Oldest(Filter{}, 0))
	begin := time.Date(2026, 6, 1, 23, 0, 0, 0, time.UTC)
	for _, at := range []int{0, 1, 2, 500, 1499, 2998, 2999} {
		since := begin.Add(time.Duration(at+1) * time.Second)
		if diff := cmp.Diff(all[at:], told(t, f.Oldest(Filter{Since: since}, 0))); diff != "" {
			t.Errorf("from %d:\n%.500s", at, diff)
		}
	}
	for _, name := range []string{"0", "1", "1500", "2999"} {
		for e := range f.Newest(Filter{Tool: name}, 1) {
			found, ok, errs := f.Find(e.Record.ID)
			if !ok || len(errs) > 0 || found.Record.Name != name || found.Outcome() != e.Outcome() {
				t.Errorf("%s: %+v, %v, %v", name, found, ok, errs)
			}
		}
	}
}

// The clock of the machine was set back: the ID says another time than where it stands.
func TestFindAfterTheClockWasSet(t *testing.T) {
	f := many(t, 3000, 1)
	var ids IDs
	id := ids.Next(time.Now().AddDate(1, 0, 0))
	l := &Log{Options: Options{Dir: string(f), MaxSize: 1 << 30}, testOnlyNow: func() time.Time { return time.Date(2026, 6, 1, 1, 0, 0, 0, time.UTC) }}
	if err := l.Append(Record{Event: Call, ID: id, Decision: Deny}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, ok, _ := f.Find(id); !ok {
		t.Error("it is not found")
	}
}

func TestBrokenLinesAreErrorsOfTheirOwn(t *testing.T) {
	dir, path, lines := written(t)
	lines[3] = []byte("{broken\n")
	if err := os.WriteFile(path, slices.Concat(lines...), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, seq := range []func(func(Entry, error) bool){Folder(dir).Newest(Filter{}, 0), Folder(dir).Oldest(Filter{}, 0), Folder(dir).Oldest(Filter{}, 100)} {
		entries, broken := 0, 0
		for _, err := range seq {
			if b, ok := err.(*ErrBroken); ok && b.File == filepath.Base(path) {
				broken++
			} else if err == nil {
				entries++
			}
		}
		if entries != 8 || broken != 1 {
			t.Errorf("%d entries, %d broken", entries, broken)
		}
	}
}
