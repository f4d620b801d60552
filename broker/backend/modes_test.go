//go:build unix

package backend

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// modeVariable makes the test binary play a child instead of running tests.
const modeVariable = "BACKEND_TEST_MODE"

// quick: a program built with -race lingers for a second at its end by default.
const quick = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		play, ok := modes[mode]
		if !ok {
			fmt.Fprintln(os.Stderr, "no such mode:", mode)
			os.Exit(99)
		}
		play()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

var modes = map[string]func(){
	"exit0":    func() {},
	"exit7":    func() { os.Exit(7) },
	"segv":     func() { syscall.Exec("/bin/sh", []string{"sh", "-c", "kill -SEGV $$"}, nil) },
	"hang":     hang,
	"stubborn": func() { signal.Ignore(syscall.SIGTERM); up(); hang() },
	"echo":     func() { io.Copy(os.Stdout, os.Stdin) },
	"polite":   func() { io.Copy(io.Discard, os.Stdin); say("goodbye") },
	"ontem":    onTerm,
	"closeout": func() { os.Stdout.Close(); hang() },
	"closein":  func() { os.Stdin.Close(); say("closed"); hang() },
	"noise":    func() { fmt.Print("\ufeffbanner\r\n\n{\"a\":\n\x1b[31mred\n") },
	"half":     func() { fmt.Print(`{"jsonrpc":"2.0","id":1,"resu`) },
	"much":     func() { os.Stdout.Write(bytes.Repeat([]byte("x"), 300<<10)) },
	"env":      func() { fmt.Print(strings.Join(os.Environ(), "\n")) },
	"cwd":      func() { d, _ := os.Getwd(); fmt.Print(d) },
	"args":     func() { fmt.Printf("%q", os.Args[1:]) },
	"fds":      listDescriptors,
	"words":    func() { fmt.Fprint(os.Stderr, os.Getenv("WORDS")); os.Exit(1) },
	"flood":    flood,
	"leave":    func() { fork("holder"); os.Exit(3) },
	"escape":   func() { fork("escaped"); os.Exit(3) },
	"tree":     func() { fork("stubborn"); hang() },
	"slowkid":  func() { fork("flusher"); hang() },
	"flusher":  flusher,
	"tty":      func() { say(terminalWord("terminal", "no-terminal")); hang() },
	"save":     func() { io.Copy(io.Discard, os.Stdin); time.Sleep(1600 * time.Millisecond); say("saved") },
	"holder":   func() { up(); hang() },
	"escaped":  func() { syscall.Setsid(); up(); hang() },
	"owner":    owner,
}

func hang() { time.Sleep(time.Hour) }

// say writes one word and the writer's id as a line.
func say(word string) { fmt.Println(word, os.Getpid()) }

func onTerm() {
	c := make(chan os.Signal, 2)
	signal.Notify(c, syscall.SIGTERM)
	up()
	<-c
	select {
	case <-c:
		fmt.Println("a second SIGTERM")
	case <-time.After(100 * time.Millisecond):
		fmt.Println("terminated")
	}
}

// flusher is a server that needs a moment after SIGTERM, under a launcher
// that needs none.
func flusher() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	up()
	<-c
	time.Sleep(50 * time.Millisecond)
	fmt.Println("flushed")
}

// fork starts a copy that has the same three pipes and returns when it is up.
func fork(mode string) {
	r, w, _ := os.Pipe()
	kid := exec.Command(os.Args[0])
	kid.Env = append(os.Environ(), modeVariable+"="+mode, "FORKED=1")
	kid.Stdin, kid.Stdout, kid.Stderr = os.Stdin, os.Stdout, os.Stderr
	kid.ExtraFiles = []*os.File{w}
	if err := kid.Start(); err != nil {
		panic(err)
	}
	w.Close()
	io.Copy(io.Discard, r)
}

// up says that the program is ready, to the test and to the parent of a fork.
func up() {
	say("ready")
	if os.Getenv("FORKED") != "" {
		os.NewFile(3, "|").Close()
	}
}

func listDescriptors() {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil {
			fmt.Println(e.Name(), target)
		}
	}
}

func flood() {
	b := bytes.Repeat([]byte("all work and no play makes a dull server\n"), 1600)
	size := 128 << 20
	fmt.Sscan(os.Getenv("SIZE"), &size)
	for sent := 0; sent < size; sent += len(b) {
		os.Stderr.Write(b)
	}
	fmt.Fprintln(os.Stderr, "the end")
	fmt.Println("done")
}

// terminalWord says whether the program has a controlling terminal.
func terminalWord(yes, no string) string {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return no
	}
	tty.Close()
	return yes
}

// owner is a program that uses this package and is then killed.
func owner() {
	if os.Getenv("OWNED") == "tty" {
		say(terminalWord("owner's-terminal", "nothing"))
	}
	env := []string{modeVariable + "=" + os.Getenv("OWNED"), quick, "STARTED_BY=" + os.Getenv("STARTED_BY")}
	if os.Getenv("CHILDREN") != "" { // one before, and one in between that is gone
		line, _ := bufio.NewReader(owned(env).Out()).ReadString('\n')
		gone := start(append(env, modeVariable+"=exit0"))
		io.Copy(io.Discard, gone.Out())
		gone.Wait()
		fmt.Print(line)
	}
	io.Copy(os.Stdout, owned(env).Out())
}

// owned starts a child and says who it is.
func owned(env []string) *Process {
	p := start(env)
	fmt.Println("child", p.PID())
	return p
}

func start(env []string) *Process {
	p, err := Start(Command{Argv: []string{os.Args[0]}, Env: env})
	if err != nil {
		panic(err)
	}
	return p
}

// testCommand runs the test binary in a mode, without this package's help.
func testCommand(mode string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(env, modeVariable+"="+mode, quick)
	return cmd
}

// child starts a process under test; with this package, which ends with the test.
func child(t testing.TB, mode string, change ...func(*Command)) *Process {
	t.Helper()
	c := Command{Argv: []string{os.Args[0]}, Env: []string{modeVariable + "=" + mode, quick}, Polled: testPolled}
	for _, f := range change {
		f(&c)
	}
	p, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill(); p.Close() })
	return p
}

// patience bounds how long a test waits for what must come, on a machine that has
// much else to do.
const patience = 30 * time.Second

// patient is a ladder that such a machine does not hurry down.
var patient = ladder{close: 2 * time.Second, terminate: 10 * time.Second, kill: patience}

// soon fails the test when f takes longer than patience.
func soon(t testing.TB, what string, f func()) {
	t.Helper()
	start, done := time.Now(), make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
		t.Logf("%s: %v", what, time.Since(start).Round(time.Millisecond))
	case <-time.After(patience):
		t.Fatalf("%s takes longer than %v", what, patience)
	}
}

func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	var b []byte
	soon(t, "reading to the end", func() {
		var err error
		if b, err = io.ReadAll(r); err != nil {
			t.Error(err)
		}
	})
	return string(b)
}

// readWord reads one line of say.
func readWord(t testing.TB, r *bufio.Reader, want string) (pid int) {
	t.Helper()
	var word string
	soon(t, "waiting for "+want, func() {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Errorf("waiting for %q: %v after %q", want, err, line)
		}
		fmt.Sscan(line, &word, &pid)
	})
	if word != want {
		t.Fatalf("the child says %q, want %q", word, want)
	}
	return pid
}
