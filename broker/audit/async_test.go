package audit

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// A client has 10,000 calls open at most, and a server that dies ends them all at once.
func TestTheEndOfAllCallsLosesNoResult(t *testing.T) {
	const open10k = 10_000
	dir := t.TempDir()
	l := open(t, dir)
	l.armed = true // the timer comes too late
	for range open10k {
		l.AppendAsync(Outcome{Call: "x"})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(readAll(t, dir)); n != open10k || strings.Contains(string(content(t, dir)), "could not be recorded") {
		t.Errorf("%d records", n)
	}
	intact(t, dir)
}

// A relay that ends leaves behind the reader of its client, who may record a call yet.
func TestCloseRacesCallsAndResults(t *testing.T) {
	dir := t.TempDir()
	const rounds, perRound = 15, 40
	l := open(t, dir)
	for range rounds {
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				for range perRound {
					if err := l.Append(Record{Event: Call}); err != nil {
						t.Error(err)
					}
					l.AppendAsync(Outcome{Call: "x"})
				}
			})
		}
		for range 4 {
			all.Go(func() {
				for range perRound {
					if err := l.Close(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
	}
	deadline := time.Now().Add(10 * time.Second)
	for len(readAll(t, dir)) < rounds*2*perRound*2 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if n := countEvents(t, dir); n[Call] != rounds*2*perRound || n[Result] != rounds*2*perRound {
		t.Errorf("%v", n)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	intact(t, dir)
}

func countEvents(t *testing.T, dir string) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, r := range readAll(t, dir) {
		n[r.Event]++
	}
	return n
}

// Whole lines of a write that failed tell of calls that were refused. They are taken
// away also when the program ends before it writes again, or the next day comes.
func TestLinesOfAFailedWriteDoNotStayBehind(t *testing.T) {
	for _, then := range []func(*Log) error{
		(*Log).Close,
		func(l *Log) error {
			l.testOnlyNow = func() time.Time { return time.Now().Add(24 * time.Hour) }
			return l.Append(Record{Event: Call, ID: "next"})
		},
	} {
		dir := t.TempDir()
		l := open(t, dir)
		if err := l.Append(Record{Event: Call, ID: "first"}); err != nil {
			t.Fatal(err)
		}
		full := errors.New("no space left")
		l.testOnlyWrite = func(lines []byte) (int, error) {
			n, _ := l.segment.file.Write(lines[:len(lines)-5])
			return n, full
		}
		for _, id := range []string{"refused", "refused too"} {
			if _, err := l.Queue(Record{Event: Call, ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.batch.Commit(); !errors.Is(err, full) {
			t.Fatalf("Commit = %v", err)
		}
		l.testOnlyWrite = nil
		if err := then(l); err != nil {
			t.Fatal(err)
		}
		if text := string(content(t, dir)); strings.Contains(text, "refused") || !strings.Contains(text, "first") {
			t.Errorf("on record:\n%s", text)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		intact(t, dir)
	}
}
