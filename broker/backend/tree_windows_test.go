package backend

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/windows"
)

// modeVariable makes the test binary play a child instead of running tests.
const modeVariable = "BACKEND_TEST_MODE"

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		play(mode)
		return
	}
	goleak.VerifyTestMain(m)
}

func play(mode string) {
	switch mode {
	case "exit7":
		os.Exit(7)
	case "echo":
		_, _ = io.Copy(os.Stdout, os.Stdin)
	case "args":
		fmt.Printf("%q", os.Args[1:])
	case "variable":
		fmt.Print(os.Getenv("A"), os.Getenv("MCPAUTH_SECRET"))
	case "half":
		fmt.Print("half a li")
		fmt.Fprintln(os.Stderr, "fatal: no database")
		os.Exit(3)
	case "save":
		_, _ = io.Copy(io.Discard, os.Stdin)
		time.Sleep(1500 * time.Millisecond)
		fmt.Print("saved")
	case "hang":
		fmt.Println(os.Getpid())
		time.Sleep(time.Hour)
	case "tree":
		fork()
		time.Sleep(time.Hour)
	case "leave":
		fork()
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "owner":
		p, err := Start(Command{Argv: []string{os.Args[0]}, Env: []string{modeVariable + "=tree"}})
		if err != nil {
			panic(err)
		}
		_, _ = io.Copy(os.Stdout, p.Out())
	}
}

// fork starts a process that has our standard output, and does not wait for it.
func fork() {
	kid := exec.Command(os.Args[0])
	kid.Env = append(os.Environ(), modeVariable+"=hang")
	kid.Stdout = os.Stdout
	if err := kid.Start(); err != nil {
		panic(err)
	}
}

func child(t *testing.T, mode string, change ...func(*Command)) *Process {
	t.Helper()
	c := Command{Argv: []string{os.Args[0]}, Env: []string{modeVariable + "=" + mode}}
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

const patience = 30 * time.Second

// soon fails the test when f takes longer than patience.
func soon(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s takes longer than %v", what, patience)
	}
}

// held reads the id of a process and takes a handle, by which its end is seen
// without doubt: ids are used again.
func held(t *testing.T, out io.Reader) windows.Handle {
	t.Helper()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.ParseUint(strings.TrimSpace(line), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		t.Fatalf("process %d: %v", pid, err)
	}
	t.Cleanup(func() { _ = windows.CloseHandle(process) })
	return process
}

func awaitGone(t *testing.T, process windows.Handle) {
	t.Helper()
	event, err := windows.WaitForSingleObject(process, uint32(patience/time.Millisecond))
	if err != nil || event != windows.WAIT_OBJECT_0 {
		t.Errorf("the grandchild is still there: %d %v", event, err)
	}
}

// The job object ends the whole tree, however the child or we end.
func TestJobEndsTheTree(t *testing.T) {
	t.Run("Kill", func(t *testing.T) {
		p := child(t, "tree")
		grandchild := held(t, p.Out())
		soon(t, "Kill", p.Kill)
		awaitGone(t, grandchild)
		if e := p.Wait(); e.Code != 1 {
			t.Errorf("exit %+v", e)
		}
	})
	t.Run("Stop of a server that does not listen", func(t *testing.T) {
		p := child(t, "tree", func(c *Command) { c.Grace = 100 * time.Millisecond })
		grandchild := held(t, p.Out())
		soon(t, "Close", p.Close)
		awaitGone(t, grandchild)
	})
	t.Run("Terminate", func(t *testing.T) {
		p := child(t, "tree")
		grandchild := held(t, p.Out())
		soon(t, "Terminate", p.Terminate)
		awaitGone(t, grandchild)
	})
	t.Run("a launcher that leaves a server behind", func(t *testing.T) {
		p := child(t, "leave")
		grandchild := held(t, p.Out())
		p.In().Close()
		soon(t, "the end", func() { p.Wait() })
		awaitGone(t, grandchild)
		if e := p.Exit(); e.Code != 0 {
			t.Errorf("exit %+v, want the launcher's", e)
		}
	})
	t.Run("TerminateProcess of the owner", func(t *testing.T) {
		owner := exec.Command(os.Args[0])
		owner.Env = append(os.Environ(), modeVariable+"=owner")
		out, err := owner.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := owner.Start(); err != nil {
			t.Fatal(err)
		}
		grandchild := held(t, out)
		if err := owner.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = owner.Wait()
		awaitGone(t, grandchild)
	})
}

func TestServerMaySaveAtItsEnd(t *testing.T) {
	p := child(t, "save")
	soon(t, "Stop", p.Stop)
	if e := p.Wait(); e.Code != 0 {
		t.Errorf("exit %+v", e)
	}
	if got, err := io.ReadAll(p.Out()); string(got) != "saved" || err != nil {
		t.Errorf("last output %q, %v", got, err)
	}
}

func TestExitAndLastOutput(t *testing.T) {
	if e := child(t, "exit7").Wait(); e.Code != 7 || e.String() != "ended with code 7" {
		t.Errorf("exit %+v", e)
	}
	p := child(t, "half")
	soon(t, "waiting", func() { p.Wait() })
	p.Stop()
	if got, err := io.ReadAll(p.Out()); string(got) != "half a li" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if words := p.LastLines(); words != "fatal: no database" {
		t.Errorf("last words %q", words)
	}
	if _, err := p.In().Write([]byte("x")); err == nil {
		t.Error("a write to a child that is gone gives no error")
	}
}

func TestEchoOfMoreThanThePipesHold(t *testing.T) {
	p := child(t, "echo")
	sent := strings.Repeat("0123456789abcdef", 1<<17) // 2 MiB
	go func() {
		defer p.In().Close()
		if n, err := io.WriteString(p.In(), sent); n != len(sent) || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
	}()
	soon(t, "the echo", func() {
		if got, err := io.ReadAll(p.Out()); string(got) != sent || err != nil {
			t.Errorf("%d bytes came back of %d, or others: %v", len(got), len(sent), err)
		}
	})
	if e := p.Wait(); e.Code != 0 {
		t.Error(e)
	}
}

func TestBlockedWriteEndsWithTheChild(t *testing.T) {
	p := child(t, "hang", func(c *Command) { c.Grace = 100 * time.Millisecond })
	wrote := make(chan error, 1)
	held(t, p.Out()) // it is up
	go func() {
		_, err := p.In().Write(make([]byte, 4<<20))
		wrote <- err
	}()
	soon(t, "Stop", p.Stop)
	soon(t, "the write", func() {
		if err := <-wrote; err == nil {
			t.Error("4 MiB went into a child that reads nothing")
		}
	})
}

func TestChildGetsItsArgumentsAndEnvironment(t *testing.T) {
	hostile := []string{"%PATH%", "a b", "", `"`, `\"`, `c:\dir\`, "&calc", "^|", "*", "-x"}
	p := child(t, "args", func(c *Command) { c.Argv = append(c.Argv, hostile...) })
	if got, err := io.ReadAll(p.Out()); string(got) != fmt.Sprintf("%q", hostile) || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	t.Setenv("MCPAUTH_SECRET", "CANARY")
	p = child(t, "variable", func(c *Command) { c.Env = append(c.Env, "A=1") })
	if got, err := io.ReadAll(p.Out()); string(got) != "1" || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

// A name without an extension is looked for with those of PATHEXT, in their
// order, in the folders of the child's PATH that are not relative.
func TestLookUp(t *testing.T) {
	first, second, odd := t.TempDir(), t.TempDir(), t.TempDir()
	for _, path := range []string{
		filepath.Join(first, "tool.cmd"), filepath.Join(first, "tool.exe"), filepath.Join(first, "plain"),
		filepath.Join(first, "v1.2.exe"), filepath.Join(second, "tool.com"), filepath.Join(second, "late.bat"), filepath.Join(odd, "planted.exe"),
	} {
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(odd)
	path := "Path=" + first + ";" + second + ";.;"
	for _, test := range []struct {
		name string
		env  []string
		want string // "" is an error
	}{
		{"tool", []string{path}, filepath.Join(first, "tool.exe")},
		{"tool", []string{path, "PATHEXT=.CMD;.EXE"}, filepath.Join(first, "tool.CMD")},
		{"tool.cmd", []string{path}, filepath.Join(first, "tool.cmd")},
		{"tool.com", []string{path}, filepath.Join(second, "tool.com")},
		{"v1.2", []string{path}, filepath.Join(first, "v1.2.exe")},
		{"late", []string{path}, filepath.Join(second, "late.bat")},
		{"late", []string{path, "PATHEXT=.EXE"}, ""},
		{"plain", []string{path}, ""},
		{"planted", []string{path}, ""},
		{"tool", nil, ""},
		{filepath.Join(first, "tool"), nil, filepath.Join(first, "tool.exe")},
		{filepath.ToSlash(first) + "/tool", nil, first + "/tool.exe"},
		{`.\planted`, nil, `.\planted.exe`},
	} {
		got, err := LookUp(Command{Argv: []string{test.name}, Env: test.env})
		same := filepath.Clean(got) == filepath.Clean(test.want) || strings.HasPrefix(test.want, first+"/") && strings.HasSuffix(got, "/tool.exe")
		if test.want == "" && err == nil || test.want != "" && (err != nil || !same) {
			t.Errorf("%s with %q: %s, %v; want %q", test.name, test.env, got, err, test.want)
		}
	}
}
