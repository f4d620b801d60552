package transparency

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// process is a process for good: numbers are used again, but not with the same
// start time.
type process struct {
	pid     int
	started string // field 22 of /proc/PID/stat
}

// stat reads the fields of /proc/PID/stat behind the name, which may hold
// spaces and brackets; nil when there is no such process.
func stat(pid int) []string {
	data, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "stat"))
	if err != nil {
		return nil
	}
	return strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
}

func (p process) alive() bool {
	fields := stat(p.pid)
	return fields != nil && fields[0] != "Z" && fields[19] == p.started
}

// family is a process and all below it.
func family(t *testing.T, root int) []process {
	t.Helper()
	children := map[int][]int{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if fields := stat(pid); fields != nil {
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], pid)
		}
	}
	pids := []int{root}
	for i := 0; i < len(pids); i++ {
		pids = append(pids, children[pids[i]]...)
	}
	var all []process
	for _, pid := range pids {
		if fields := stat(pid); fields != nil {
			all = append(all, process{pid, fields[19]})
		}
	}
	return all
}

// awaitGone polls until none of the processes is left. The design gives the
// proxy 10 s after the end of its input and 1 s after a SIGTERM; a loaded machine gets more.
func awaitGone(t *testing.T, all []process) {
	t.Helper()
	began := time.Now()
	eventually(t, "every process is gone", func() bool {
		for _, p := range all {
			if p.alive() {
				return false
			}
		}
		return true
	}, func() string { return listing(all) })
	t.Logf("%d processes gone after %v", len(all), time.Since(began).Round(10*time.Millisecond))
}

// listing names those that are alive.
func listing(all []process) string {
	var names []string
	for _, p := range all {
		if p.alive() {
			command, _ := os.ReadFile(filepath.Join("/proc", itoa(p.pid), "cmdline"))
			names = append(names, itoa(p.pid)+": "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return strings.Join(names, "\n")
}

// eventually polls, for longer than anything here may take.
func eventually(t *testing.T, what string, ok func() bool, why func() string) {
	t.Helper()
	for deadline := time.Now().Add(25 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 25 s: %s\n%s", what, why())
		}
	}
}

// peak is the most memory that a process ever had, in MiB.
func peak(t *testing.T, pid int) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes >> 10
}
