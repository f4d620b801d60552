package backend

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// startOwner starts a program that has started a child with this package.
func startOwner(t testing.TB, mode string, env ...string) (owner *exec.Cmd, out *bufio.Reader) {
	t.Helper()
	owner = testCommand("owner", append(env, "OWNED="+mode)...)
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
			guard := guardOf(t, owner.Process.Pid)
			if groupOf(t, child) != child || groupOf(t, grandchild) != child || groupOf(t, guard) != guard {
				t.Fatalf("groups: owner %d, guard %d in %d, child %d in %d, grandchild in %d", owner.Process.Pid,
					guard, groupOf(t, guard), child, groupOf(t, child), groupOf(t, grandchild))
			}
			start := time.Now()
			attack(owner.Process.Pid)
			owner.Wait()
			awaitGone(t, child, grandchild, guard)
			t.Logf("all gone after %v", time.Since(start).Round(100*time.Microsecond))
		})
	}
}

// Two children have one guard, and both die with their owner, also when another has
// ended before.
func TestOneGuardForAllChildren(t *testing.T) {
	owner, out := startOwner(t, "tree", "CHILDREN=some")
	var all []int
	for range 2 {
		all = append(all, readWord(t, out, "child"))
		all = append(all, readWord(t, out, "ready"))
	}
	guards := guardsOf(t, owner.Process.Pid)
	if len(guards) != 1 {
		t.Fatalf("the guards are %v", guards)
	}
	syscall.Kill(owner.Process.Pid, syscall.SIGKILL)
	owner.Wait()
	awaitGone(t, append(all, guards...)...)
}

// sigtermTreeThenKill is what clients with a "tree kill" do: SIGTERM to every
// descendant that they find, then SIGKILL to the one that they started.
func sigtermTreeThenKill(owner int) error {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", owner))
	for _, task := range tasks {
		kids, _ := os.ReadFile(task)
		for _, kid := range strings.Fields(string(kids)) {
			var pid int
			fmt.Sscan(kid, &pid)
			if exe, _ := os.Readlink("/proc/" + kid + "/exe"); !strings.HasSuffix(exe, ".test") {
				syscall.Kill(pid, syscall.SIGTERM)
			}
		}
	}
	return syscall.Kill(owner, syscall.SIGKILL)
}

// The owner is killed while it starts a server, at any moment of that.
func TestOwnerKilledWhileItStartsLeavesNothing(t *testing.T) {
	mark := fmt.Sprintf("STARTED_BY=%d", os.Getpid())
	for i := range 60 {
		owner := testCommand("owner", "OWNED=hang", mark)
		if err := owner.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * time.Millisecond) // the moment under test
		owner.Process.Kill()
		owner.Wait()
	}
	deadline := time.Now().Add(patience)
	for left := marked(mark); len(left) > 0; left = marked(mark) {
		if time.Now().After(deadline) {
			t.Fatalf("still there: %v", left)
		}
		time.Sleep(time.Millisecond)
	}
}

// marked are the processes, but us, that have an entry in their environment.
func marked(entry string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		var pid int
		fmt.Sscanf(file, "/proc/%d/", &pid)
		text, err := os.ReadFile(file)
		if err == nil && pid != os.Getpid() && strings.Contains(string(text), entry+"\x00") && alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestGuardNeverOutlivesTheChild(t *testing.T) {
	p := child(t, "hang")
	guard := guardOf(t, os.Getpid())
	p.Kill()
	p.Wait()
	if err := syscall.Kill(guard, 0); err == nil {
		t.Error("the guard is still there, or a zombie")
	}
}

// A server that asks on the terminal would be stopped for ever (SIGTTIN), or would
// echo a password: it has none, so that its open of /dev/tty fails.
func TestChildHasNoTerminal(t *testing.T) {
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer person.Close()
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	owner := testCommand("owner", "OWNED=tty")
	owner.Stdin = terminal
	owner.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	pipe, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { owner.Process.Kill(); owner.Wait() })
	out := bufio.NewReader(pipe)
	readWord(t, out, "owner's-terminal") // else this tests nothing
	child := readWord(t, out, "child")
	readWord(t, out, "no-terminal")
	if session, err := unix.Getsid(child); err != nil || session != child {
		t.Errorf("the child %d is in session %d, %v", child, session, err)
	}
}

// Where there is no terminal to leave, as under most AI clients, the child stays in
// our session: the kernel schedules sessions against each other, which every call pays.
func TestChildSharesASessionWithoutTerminal(t *testing.T) {
	owner := testCommand("owner", "OWNED=tty")
	owner.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pipe, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { owner.Process.Kill(); owner.Wait() })
	out := bufio.NewReader(pipe)
	readWord(t, out, "nothing")
	child := readWord(t, out, "child")
	readWord(t, out, "no-terminal")
	if session, err := unix.Getsid(child); err != nil || session != owner.Process.Pid || groupOf(t, child) != child {
		t.Errorf("the child %d of %d is in session %d and group %d, %v", child, owner.Process.Pid, session, groupOf(t, child), err)
	}
}

// guardOf finds the guard among the children of a process.
func guardOf(t testing.TB, owner int) int {
	t.Helper()
	guards := guardsOf(t, owner)
	if len(guards) == 0 {
		t.Fatal("there is no guard")
	}
	return guards[0]
}

func guardsOf(t testing.TB, owner int) (pids []int) {
	t.Helper()
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", owner))
	for _, task := range tasks {
		kids, _ := os.ReadFile(task)
		for _, kid := range strings.Fields(string(kids)) {
			if line, _ := os.ReadFile("/proc/" + kid + "/cmdline"); strings.Contains(string(line), "mcpauth-guard") {
				var pid int
				fmt.Sscan(kid, &pid)
				pids = append(pids, pid)
			}
		}
	}
	return pids
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
	for name, fd := range map[string]int{"stdin": p.in.(*blockingEnd).fd, "stdout": p.out.(*blockingEnd).fd} {
		size, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
		if err != nil || size < 256<<10 {
			t.Errorf("the pipe of %s holds %d bytes, %v", name, size, err)
		}
	}
}
