//go:build unix

package backend

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestExitIsReported(t *testing.T) {
	tests := []struct {
		mode string
		want Exit
		text string
	}{
		{"exit0", Exit{Code: 0}, "ended with code 0"},
		{"exit7", Exit{Code: 7}, "ended with code 7"},
		{"segv", Exit{Code: 139, Signal: syscall.SIGSEGV}, "was ended by a signal (segmentation fault)"},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			p := child(t, tt.mode)
			var got Exit
			soon(t, "waiting", func() { got = p.Wait() })
			if got != tt.want || p.Exit() != tt.want {
				t.Errorf("Wait = %+v, Exit = %+v, want %+v", got, p.Exit(), tt.want)
			}
			if got.String() != tt.text {
				t.Errorf("String = %q, want %q", got, tt.text)
			}
		})
	}
}

func TestExitOfARunningChildIsUnknown(t *testing.T) {
	p := child(t, "hang")
	if e := p.Exit(); e.Code != -1 || e.Err == nil {
		t.Errorf("Exit = %+v", e)
	}
	p.Kill()
	if e := p.Wait(); e.Code != 137 {
		t.Errorf("after Kill: Exit = %+v, want code 137", e)
	}
}

func TestEchoOfMoreThanThePipesHold(t *testing.T) {
	p := child(t, "echo")
	sent := strings.Repeat("0123456789abcdef", 1<<19) // 8 MiB
	go func() {
		defer p.In().Close()
		if n, err := io.WriteString(p.In(), sent); n != len(sent) || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
	}()
	if got := readAll(t, p.Out()); got != sent {
		t.Errorf("%d bytes came back of %d, or others", len(got), len(sent))
	}
	if e := p.Wait(); e.Code != 0 {
		t.Error(e)
	}
}

func TestOutputIsReadableAfterTheEnd(t *testing.T) {
	for mode, want := range map[string]string{
		"half":  `{"jsonrpc":"2.0","id":1,"resu`,
		"noise": "\ufeffbanner\r\n\n{\"a\":\n\x1b[31mred\n",
		"much":  strings.Repeat("x", 300<<10),
	} {
		if testPolled && mode == "much" {
			continue // a pipe of the usual size does not hold that
		}
		t.Run(mode, func(t *testing.T) {
			p := child(t, mode)
			soon(t, "waiting", func() { p.Wait() })
			p.Stop()
			if got := readAll(t, p.Out()); got != want {
				t.Errorf("read %d bytes, want %d", len(got), len(want))
			}
		})
	}
}

func TestStdoutClosedWhileRunningIsTheEndOfOut(t *testing.T) {
	p := child(t, "closeout")
	if got := readAll(t, p.Out()); got != "" {
		t.Errorf("read %q", got)
	}
	select {
	case <-p.Done():
		t.Error("the child ended by itself")
	default:
	}
}

func TestWriteToAChildThatClosedStdin(t *testing.T) {
	p := child(t, "closein")
	readWord(t, bufio.NewReader(p.Out()), "closed")
	if _, err := io.WriteString(p.In(), "x\n"); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Write = %v, want EPIPE", err)
	}
}

func TestBlockedWriteEndsWithTheChild(t *testing.T) {
	p := child(t, "hang")
	wrote := make(chan error, 1)
	go func() {
		_, err := p.In().Write(make([]byte, 4<<20))
		wrote <- err
	}()
	soon(t, "Terminate", p.Terminate)
	if err := <-wrote; err == nil {
		t.Error("4 MiB went into a child that reads nothing")
	}
	if _, err := p.In().Write([]byte("x")); err == nil {
		t.Error("Write after Terminate gives no error")
	}
}

func TestChildGetsItsArgumentsAsTheyAre(t *testing.T) {
	hostile := []string{"$(touch pwn)", "a b", "", `"`, "*", ";", "-x", "`id`"}
	p := child(t, "args", func(c *Command) { c.Argv = append(c.Argv, hostile...) })
	if got, want := readAll(t, p.Out()), `["$(touch pwn)" "a b" "" "\"" "*" ";" "-x" "`+"`id`"+`"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestChildGetsItsEnvironmentAndNoOther(t *testing.T) {
	t.Setenv("MCPAUTH_SECRET", "CANARY")
	p := child(t, "env", func(c *Command) { c.Env = append(c.Env, "A=1") })
	if got, want := readAll(t, p.Out()), modeVariable+"=env\n"+quick+"\nA=1"; got != want {
		t.Errorf("environment %q, want %q", got, want)
	}
}

func TestNoEnvironmentIsAnEmptyOne(t *testing.T) {
	p, err := Start(Command{Argv: []string{"/usr/bin/env"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	if got := readAll(t, p.Out()); got != "" {
		t.Errorf("environment %q", got)
	}
}

func TestChildRunsInItsDirectory(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := child(t, "cwd", func(c *Command) { c.Dir = dir })
	if got := readAll(t, p.Out()); got != dir {
		t.Errorf("cwd %q, want %q", got, dir)
	}
}

func TestStopLadder(t *testing.T) {
	if usual.close != 10*time.Second || usual.terminate != time.Second {
		t.Errorf("the ladder is %+v", usual)
	}
	tests := []struct {
		mode       string
		code       int
		from       time.Duration // the steps before it are waited for
		lastOutput string
	}{
		{"polite", 0, 0, "goodbye"},
		{"ontem", 0, patient.close, "terminated"},
		{"hang", 143, patient.close, ""},
		{"stubborn", 137, patient.close + time.Second, ""},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			t.Parallel()
			p := child(t, tt.mode)
			p.graces = patient
			switch tt.mode {
			case "polite":
				p.graces.close = patience
			case "stubborn":
				p.graces.terminate = time.Second
			}
			out := bufio.NewReader(p.Out())
			if tt.mode == "ontem" || tt.mode == "stubborn" {
				readWord(t, out, "ready")
			}
			start := time.Now()
			p.Stop()
			if took := time.Since(start); took < tt.from {
				t.Errorf("Stop took %v, want %v or more", took, tt.from)
			}
			if e := p.Wait(); e.Code != tt.code {
				t.Errorf("exit %+v, want code %d", e, tt.code)
			}
			if got := readAll(t, out); !strings.HasPrefix(got, tt.lastOutput) {
				t.Errorf("last output %q, want %q", got, tt.lastOutput)
			}
		})
	}
}

func TestStopFromManyGoroutines(t *testing.T) {
	p := child(t, "stubborn")
	readWord(t, bufio.NewReader(p.Out()), "ready")
	var all sync.WaitGroup
	soon(t, "20 stops", func() {
		for i := range 20 {
			all.Go(func() {
				if i == 13 {
					p.Kill()
				}
				p.Stop()
			})
		}
		all.Wait()
	})
	if e := p.Wait(); e.Code != 137 {
		t.Error(e)
	}
	p.Close()
	p.Close()
}

func TestSlowServerUnderAHastyLauncherMayFlush(t *testing.T) {
	p := child(t, "slowkid")
	p.graces = patient
	out := bufio.NewReader(p.Out())
	readWord(t, out, "ready")
	soon(t, "Stop", p.Stop)
	if got := readAll(t, out); got != "flushed\n" {
		t.Errorf("last output %q", got)
	}
}

func TestGrandchildThatHoldsThePipesDies(t *testing.T) {
	p := child(t, "leave")
	out := bufio.NewReader(p.Out())
	pid := readWord(t, out, "ready")
	soon(t, "end of the output", func() {
		if _, err := io.Copy(io.Discard, out); err != nil {
			t.Error(err)
		}
	})
	if e := p.Wait(); e.Code != 3 {
		t.Errorf("exit %+v, want the launcher's", e)
	}
	awaitGone(t, pid)
}

func TestGrandchildOutOfTheGroupDoesNotHangUs(t *testing.T) {
	p := child(t, "escape")
	out := bufio.NewReader(p.Out())
	pid := readWord(t, out, "ready")
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	soon(t, "end of the output", func() {
		if _, err := io.Copy(io.Discard, out); err != nil {
			t.Error(err)
		}
	})
	soon(t, "waiting", func() { p.Wait() })
}

// A server that needs 1.6 s after the end of its input writes what it has to write.
func TestServerMaySaveAtItsEnd(t *testing.T) {
	p := child(t, "save")
	soon(t, "Stop", p.Stop)
	if e := p.Wait(); e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
	if got := readAll(t, p.Out()); !strings.HasPrefix(got, "saved") {
		t.Errorf("last output %q", got)
	}
}

func TestTerminateHurriesAStop(t *testing.T) {
	p := child(t, "ontem")
	p.graces = patient
	p.graces.close = time.Hour
	out := bufio.NewReader(p.Out())
	readWord(t, out, "ready")
	stopped := make(chan struct{})
	go func() { defer close(stopped); p.Stop() }()
	if _, err := p.In().Write([]byte("x")); err == nil { // until stdin is closed
		soon(t, "the close of stdin", func() {
			for err == nil {
				_, err = p.In().Write([]byte("x"))
			}
		})
	}
	soon(t, "Terminate", p.Terminate)
	soon(t, "Stop", func() { <-stopped })
	if got := readAll(t, out); got != "terminated\n" {
		t.Errorf("last output %q", got)
	}
}

func TestTerminateKillsWhatDoesNotListen(t *testing.T) {
	p := child(t, "stubborn")
	readWord(t, bufio.NewReader(p.Out()), "ready")
	start := time.Now()
	soon(t, "Terminate", p.Terminate)
	if took := time.Since(start); took < usual.terminate {
		t.Errorf("SIGKILL came after %v", took)
	}
	if e := p.Wait(); e.Code != 137 {
		t.Errorf("exit %+v", e)
	}
}

func TestNoShellMeansNoGuardAndSaysSo(t *testing.T) {
	tr := newTreeWith(&guard{shell: "/no/such/shell"})
	defer tr.destroy()
	if !strings.Contains(tr.weakness(), "no guard process") {
		t.Errorf("weakness %q", tr.weakness())
	}
	s, err := newStdio(false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.closeOurEnds()
	defer s.closeChildEnds()
	cmd := testCommand("tree")
	cmd.Stdout = s.stdout.childs
	runtime.LockOSThread() // as start wants it
	defer runtime.UnlockOSThread()
	if err := tr.start(cmd); err != nil {
		t.Fatal(err)
	}
	pid := readWord(t, bufio.NewReader(s.stdout.ours), "ready")
	tr.destroy()
	cmd.Wait()
	awaitGone(t, pid)
}

// awaitGone waits until a process is no more, or is a zombie of somebody else.
func awaitGone(t testing.TB, pids ...int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is still there", pid)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

func alive(pid int) bool {
	if runtime.GOOS != "linux" {
		return syscall.Kill(pid, 0) == nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

var testPolled bool // of child

// Pipes that are polled do what blocking ones do.
func TestPolledPipes(t *testing.T) {
	testPolled = true
	defer func() { testPolled = false }()
	for name, test := range map[string]func(*testing.T){
		"echo of more than the pipes hold":  TestEchoOfMoreThanThePipesHold,
		"output after the end":              TestOutputIsReadableAfterTheEnd,
		"stdout closed while it runs":       TestStdoutClosedWhileRunningIsTheEndOfOut,
		"stdin closed while it runs":        TestWriteToAChildThatClosedStdin,
		"a blocked write ends with it":      TestBlockedWriteEndsWithTheChild,
		"a grandchild that holds the pipes": TestGrandchildThatHoldsThePipesDies,
		"a grandchild out of the group":     TestGrandchildOutOfTheGroupDoesNotHangUs,
		"stderr whole":                      TestStderrIsForwardedWhole,
	} {
		t.Run(name, test)
	}
	if _, polled := child(t, "echo").in.(polledEnd); !polled {
		t.Error("these pipes are not polled")
	}
}
