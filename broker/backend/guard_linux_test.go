package backend

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// startOwner starts a program that has started a child with this package.
func startOwner(t testing.TB, mode string) (owner *exec.Cmd, out *bufio.Reader) {
	t.Helper()
	owner = testCommand("owner", "OWNED="+mode)
	owner.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { owner.Process.Kill(); owner.Wait() })
	return owner, bufio.NewReader(pipe)
}

func TestNothingOutlivesAnOwner(t *testing.T) {
	attacks := map[string]func(owner int) error{
		"SIGKILL of the owner":           func(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) },
		"SIGKILL of the owner's group":   func(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) },
		"crash":                          func(pid int) error { return syscall.Kill(pid, syscall.SIGSEGV) },
		"SIGTERM to all, then SIGKILL":   sigtermTreeThenKill,
		"SIGKILL of owner and then TERM": func(pid int) error { syscall.Kill(pid, syscall.SIGKILL); return syscall.Kill(-pid, syscall.SIGTERM) },
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			owner, out := startOwner(t, "tree")
			child := readWord(t, out, "child")
			grandchild := readWord(t, out, "ready")
			guard := groupOf(t, child)
			if guard != groupOf(t, grandchild) || guard == child || guard == owner.Process.Pid {
				t.Fatalf("groups: owner %d, child %d in %d, grandchild in %d",
					owner.Process.Pid, child, guard, groupOf(t, grandchild))
			}
			start := time.Now()
			attack(owner.Process.Pid)
			owner.Wait()
			awaitGone(t, child, grandchild, guard)
			t.Logf("all gone after %v", time.Since(start).Round(100*time.Microsecond))
		})
	}
}

// sigtermTreeThenKill is what clients with a "tree kill" do: SIGTERM to every
// descendant that they find, then SIGKILL to the one that they started.
func sigtermTreeThenKill(owner int) error {
	kids, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", owner))
	if err != nil {
		return err
	}
	for _, kid := range strings.Fields(string(kids)) {
		var pid int
		fmt.Sscan(kid, &pid)
		if exe, _ := os.Readlink("/proc/" + kid + "/exe"); !strings.HasSuffix(exe, ".test") {
			syscall.Kill(pid, syscall.SIGTERM)
		}
	}
	return syscall.Kill(owner, syscall.SIGKILL)
}

func TestChildThatLeavesTheGroupDiesWithTheOwner(t *testing.T) {
	owner, out := startOwner(t, "leader")
	child := readWord(t, out, "child")
	readWord(t, out, "ready")
	if group := groupOf(t, child); group != child {
		t.Fatalf("the child is in group %d", group)
	}
	owner.Process.Kill()
	owner.Wait()
	awaitGone(t, child)
}

func TestGuardNeverOutlivesTheChild(t *testing.T) {
	p := child(t, "hang")
	guard := groupOf(t, p.PID())
	p.Kill()
	p.Wait()
	if err := syscall.Kill(guard, 0); err == nil {
		t.Error("the guard is still there, or a zombie")
	}
}

func groupOf(t testing.TB, pid int) int {
	t.Helper()
	group, err := syscall.Getpgid(pid)
	if err != nil {
		t.Fatal(err)
	}
	return group
}

func TestChildInheritsNoDescriptor(t *testing.T) {
	first := child(t, "hang") // whose pipes must not reach the second one
	defer first.Kill()
	p := child(t, "fds")
	for line := range strings.Lines(readAll(t, p.Out())) {
		var fd int
		var target string
		fmt.Sscan(line, &fd, &target)
		if fd > 2 && strings.HasPrefix(target, "pipe:") && !atStart[target] {
			t.Errorf("descriptor %d is %s", fd, target)
		}
	}
}

// atStart are the pipes that the test binary got from whoever started it.
var atStart = pipesOfOurs()

func pipesOfOurs() map[string]bool {
	pipes := map[string]bool{}
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		pipes[target] = true
	}
	return pipes
}

func TestRoundsLeaveNothingBehind(t *testing.T) {
	round := func(mode string) {
		p := child(t, mode)
		p.Kill()
		readAll(t, p.Out())
		p.Wait()
	}
	round("hang") // what the runtime opens once
	before, zombies := descriptors(t), zombieKids(t)
	for i := range 50 {
		round([]string{"hang", "exit0", "echo", "half"}[i%4])
	}
	for range 3 {
		if _, err := Start(Command{Argv: []string{"/no/such/program"}}); err == nil {
			t.Fatal("no error")
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("descriptors: %d before, %d after", before, after)
	}
	if after := zombieKids(t); after != zombies {
		t.Errorf("children: %d before, %d after", zombies, after)
	}
}

func TestUnreadProcessIsReleasedByClose(t *testing.T) {
	before := descriptors(t)
	p := child(t, "much")
	p.Close()
	if after := descriptors(t); after != before {
		t.Errorf("descriptors: %d before, %d after", before, after)
	}
}

// zombieKids counts our children, dead or alive; a goroutine of another test may own some.
func zombieKids(t *testing.T) int {
	t.Helper()
	n := 0
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		kids, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		n += len(strings.Fields(string(kids)))
	}
	return n
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestPipesAreLarge(t *testing.T) {
	p := child(t, "hang")
	for name, fd := range map[string]int{"stdin": p.in.fd, "stdout": p.out.fd} {
		size, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
		if err != nil || size < 256<<10 {
			t.Errorf("the pipe of %s holds %d bytes, %v", name, size, err)
		}
	}
}
