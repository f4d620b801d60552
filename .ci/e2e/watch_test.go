package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// watch collects all that could leak: what was printed, and the arguments and
// environments of all processes that this test starts, as they come and go.
type watch struct {
	mu   sync.Mutex
	seen map[string]string // text → where
}

func newWatch(t *testing.T) *watch {
	w := &watch{seen: map[string]string{}}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				w.processes()
			}
		}
	}()
	t.Cleanup(func() { close(done); <-ended })
	return w
}

func (w *watch) heard(where string, texts ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range texts {
		w.seen[text] = where
	}
}

// processes notes the argv and environment of every descendant.
func (w *watch) processes() {
	for _, pid := range descendants(os.Getpid()) {
		for _, name := range []string{"cmdline", "environ"} {
			path := filepath.Join("/proc", strconv.Itoa(pid), name)
			if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
				w.heard(path, string(data))
			}
		}
	}
}

// find returns where a needle was seen.
func (w *watch) find(needle string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var places []string
	for text, where := range w.seen {
		if strings.Contains(text, needle) {
			places = append(places, where)
		}
	}
	return places
}

// findInFiles returns the files under a folder that hold a needle.
func findInFiles(t *testing.T, folder, needle string) []string {
	t.Helper()
	var places []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(needle)) || strings.Contains(path, needle) {
			places = append(places, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// descendants returns the processes below one, by the parents that /proc tells.
func descendants(root int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it ended
		}
		// pid (name) state ppid …, and a name may hold spaces and brackets.
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], pid)
	}
	found := children[root]
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return found
}

// alive reports whether a process runs; a zombie does not.
func alive(pid int) bool {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && !bytes.Contains(data, []byte(") Z "))
}
