package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const canPin = true

// pin moves this process, and so all that it will start, to one CPU, or to all
// that it had at first.
func pin(cpus string) error {
	var set unix.CPUSet
	if cpus == everywhere {
		for cpu := range 1024 { // the kernel leaves out those that are not there
			set.Set(cpu)
		}
	} else {
		cpu, err := strconv.Atoi(cpus)
		if err != nil || cpu < 0 {
			return fmt.Errorf("-cpus %s: not a CPU number and not %q", cpus, everywhere)
		}
		set.Set(cpu)
	}
	// A thread that starts meanwhile inherits from one of the others, perhaps
	// from one that is not moved yet: hence twice.
	for range 2 {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, thread := range threads {
			id, _ := strconv.Atoi(thread.Name())
			if err := unix.SchedSetaffinity(id, &set); err != nil && err != unix.ESRCH {
				return os.NewSyscallError("sched_setaffinity", err)
			}
		}
	}
	// With one processor on one CPU, Go's scheduler takes it away from a read(2) that
	// waits for longer than 20 µs, by a clock that then ticks every 20 µs: a slower
	// target would be charged for that, too.
	runtime.GOMAXPROCS(4)
	return nil
}

// A loadMeter tells how much of the machine others use.
type loadMeter struct {
	at        time.Time
	idle, own time.Duration
}

func newLoadMeter() loadMeter {
	return loadMeter{at: time.Now(), idle: idleTime(), own: ownTime()}
}

// foreign is the number of cores that other processes used since the start.
// Children of ours count once they are waited for.
func (m loadMeter) foreign() float64 {
	took := time.Since(m.at)
	busy := took*time.Duration(onlineCPUs()) - (idleTime() - m.idle)
	return max(0, float64(busy-(ownTime()-m.own))/float64(took))
}

// idleTime adds up what the CPUs were idle since boot. /proc/stat counts in
// hundredths of a second.
func idleTime() time.Duration {
	text, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 6 {
		return 0
	}
	idle, _ := strconv.Atoi(fields[4])
	waiting, _ := strconv.Atoi(fields[5])
	return time.Duration(idle+waiting) * 10 * time.Millisecond
}

func onlineCPUs() int {
	text, _ := os.ReadFile("/proc/stat")
	return max(1, bytes.Count(text, []byte("\ncpu")))
}

func ownTime() (total time.Duration) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var usage unix.Rusage
		if unix.Getrusage(who, &usage) == nil {
			total += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		}
	}
	return total
}

// family lists a process and its descendants, but not those that run the
// program except.
func family(pid int, except string) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// The name, in parentheses, may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		parent, _ := strconv.Atoi(fields[1])
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		children[parent] = append(children[parent], child)
	}
	var all []int
	for next := []int{pid}; len(next) > 0; next = next[1:] {
		if program, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", next[0])); program != except {
			all = append(all, next[0])
		}
		next = append(next, children[next[0]]...)
	}
	return all
}

// peakMemory adds up the peak resident sizes of processes, in MB.
func peakMemory(pids []int) (mb float64) {
	for _, pid := range pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, rest, _ := strings.Cut(string(text), "VmHWM:")
		fields := strings.Fields(rest)
		if len(fields) > 0 {
			kib, _ := strconv.ParseFloat(fields[0], 64)
			mb += kib / 1024
		}
	}
	return mb
}

// cpuTime adds up the CPU time of processes.
func cpuTime(pids []int) (total time.Duration) {
	for _, pid := range pids {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		for _, path := range threads {
			text, _ := os.ReadFile(path)
			if fields := strings.Fields(string(text)); len(fields) > 0 {
				ns, _ := strconv.ParseInt(fields[0], 10, 64)
				total += time.Duration(ns)
			}
		}
	}
	return total
}
