package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A client in a loop does not fill the disk, whatever the bound and the number of proxies.
func TestAttackLoopDoesNotFillTheDisk(t *testing.T) {
	for _, writers := range []int{1, 8} {
		t.Run(fmt.Sprint(writers, " writers"), func(t *testing.T) {
			dir := t.TempDir()
			const bound, slack = 2 << 20, 64 << 10
			var largest int64
			var mu sync.Mutex
			var all sync.WaitGroup
			for range writers {
				all.Go(func() {
					l, err := Options{Dir: dir, MaxSize: bound}.Open()
					if err != nil {
						t.Error(err)
						return
					}
					defer l.Close()
					for i := range 24_000 / writers {
						if err := l.Append(Record{Event: Call, Decision: Allow, Name: strings.Repeat("n", 200)}); err != nil {
							t.Error(err)
							return
						}
						if i%100 == 0 {
							_, size, err := Folder(dir).Size()
							if err != nil {
								t.Error(err)
							}
							mu.Lock()
							largest = max(largest, size)
							mu.Unlock()
						}
					}
				})
			}
			all.Wait()
			files, size, err := Folder(dir).Size()
			t.Logf("%d files, %d bytes, at most %d", files, size, largest)
			if err != nil || largest > bound+slack || size < bound/2 {
				t.Errorf("%d bytes, at most %d, %v", size, largest, err)
			}
			intact(t, dir)
			if !strings.Contains(string(content(t, dir)), `"event":"removed"`) {
				t.Error("no removal is logged")
			}
		})
	}
}

// fileNames are the names of the files that are there, oldest first.
func fileNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := Folder(dir).files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name)
	}
	return names
}

// The number of a file that was removed is not given again on the same day.
func TestNumbersAreGivenOnce(t *testing.T) {
	dir := t.TempDir()
	l, err := Options{Dir: dir, MaxSize: 64 << 10}.Open()
	if err != nil {
		t.Fatal(err)
	}
	for range 600 {
		if err := l.Append(Record{Event: Call, Name: strings.Repeat("n", 200)}); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	names := fileNames(t, dir)
	if _, first, _ := parseFileName(names[0]); first < 5 {
		t.Fatalf("%v", names)
	}
	l = open(t, dir)
	l.Close()
	if again := fileNames(t, dir); again[0] != names[0] {
		t.Errorf("%v, before: %v", again, names)
	}
	intact(t, dir)
}

// What others hold is not removed, and a log that cannot be bounded is an error.
func TestUnboundedLogIsAnError(t *testing.T) {
	dir := t.TempDir()
	yesterday := time.Now().AddDate(0, 0, -1)
	big := &Log{Options: Options{Dir: dir, MaxSize: DefaultMaxSize}, testOnlyNow: func() time.Time { return yesterday }}
	for range 300 {
		if err := big.Append(Record{Event: Call, Name: strings.Repeat("n", 200)}); err != nil {
			t.Fatal(err)
		}
	}
	l := &Log{Options: Options{Dir: dir, MaxSize: 64 << 10}}
	defer l.Close()
	err := l.Append(Record{Event: Call})
	if e, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, errBound) || !strings.Contains(e.Error(), "max_size") {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, big.segment.name)); err != nil {
		t.Fatal(err)
	}
	big.Close() // and now it may go
	if err := l.Append(Record{Event: Call}); err != nil {
		t.Error(err)
	}
	if _, size, _ := Folder(dir).Size(); size > 64<<10 {
		t.Errorf("%d bytes", size)
	}
}

// The record of a removal may itself be removed: its file passes it on.
func TestRemovalOfARemovalIsPassedOn(t *testing.T) {
	dir := t.TempDir()
	first, err := Options{Dir: dir, MaxSize: 256 << 10}.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	append1 := func(l *Log, n int) {
		t.Helper()
		for range n {
			if err := l.Append(Record{Event: Call, Name: strings.Repeat("n", 400)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	append1(first, 1)
	second, err := Options{Dir: dir, MaxSize: 256 << 10}.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	for range 40 {
		append1(second, 40)
		append1(first, 2)
		intact(t, dir)
	}
}
