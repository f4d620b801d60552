package keychain

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// holdLock is the probe that takes a lock, says so and holds it until it is
// killed or its stdin ends.
func holdLock(path string) int {
	unlock, err := sharedfile.Lock(context.Background(), path)
	if err != nil {
		return 1
	}
	defer unlock()
	_, _ = os.Stdout.WriteString("held\n")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	return 0
}

func mustLock(t *testing.T, path string) (unlock func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	unlock, err := sharedfile.Lock(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(unlock)
	return unlock
}

func TestLockLetsOneIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.lock")
	var inside, turns atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			unlock, err := sharedfile.Lock(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d are in", n)
			}
			turns.Add(1)
			runtime.Gosched()
			inside.Add(-1)
		})
	}
	all.Wait()
	if n := turns.Load(); n != 8 {
		t.Errorf("%d got their turn, want 8", n)
	}
}

func TestTryLockDoesNotWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.lock")
	unlock, ok, err := sharedfile.TryLock(path)
	if !ok || err != nil {
		t.Fatalf("a free lock: %v, %v", ok, err)
	}
	if again, ok, err := sharedfile.TryLock(path); again != nil || ok || err != nil {
		t.Errorf("a held lock: ok %v, error %v", ok, err)
	}
	unlock()
	unlock()
	unlock, ok, err = sharedfile.TryLock(path)
	if !ok || err != nil {
		t.Fatalf("a freed lock: %v, %v", ok, err)
	}
	unlock()
}

func TestLockNamesItselfWhenTheContextEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.lock")
	mustLock(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	unlock, err := sharedfile.Lock(ctx, path)
	if unlock != nil || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), path) {
		t.Errorf("unlock %v, error %v", unlock != nil, err)
	}
}

func TestLockOfADeadProcessIsFree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.lock")
	holder := exec.Command(os.Args[0], "keychain-probe", "lock", path)
	holder.Env = []string{}
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	if _, ok, err := sharedfile.TryLock(path); ok || err != nil {
		t.Errorf("two processes hold the lock: %v, %v", ok, err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait()
	mustLock(t, path)
}

func TestLockFileIsPrivateAndStays(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "state", "locks")
	path := filepath.Join(folder, "p.lock")
	mustLock(t, path)()
	for name, want := range map[string]os.FileMode{folder: 0o700, filepath.Dir(folder): 0o700, path: 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want && runtime.GOOS != "windows" {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestLockThatCannotBeMadeNamesItself(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(file, "p.lock")
	if _, err := sharedfile.Lock(t.Context(), path); err == nil || !strings.Contains(err.Error(), "mcpauth cannot write to "+path) {
		t.Errorf("Lock: %v", err)
	}
	if _, _, err := sharedfile.TryLock(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("TryLock: %v", err)
	}
}
