package cmd

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An idle proxy costs nothing: of the machine it needs two context switches a second,
// as .ci/relaybench measures. The bound is generous, for a busy machine; a ticker of
// 250 ms would break it.
func TestIdleProxySleeps(t *testing.T) {
	t.Parallel()
	const span, most = 10 * time.Second, 100
	home := t.TempDir()
	proxy := exec.Command("mcpauth", "proxy", "--issuer", "http://127.0.0.1:1", "--client-id", "x", "--", "cat")
	proxy.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	in, err := proxy.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := proxy.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = proxy.Wait() }()
	_, err = fmt.Fprintln(in, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}`)
	if err == nil {
		_, err = bufio.NewReader(out).ReadString('\n')
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // what belongs to the start
	for range 3 {               // other load wakes the scheduler of an idle program, too
		before := switches(t, proxy.Process.Pid)
		time.Sleep(span) // which is measured
		took := switches(t, proxy.Process.Pid) - before
		t.Logf("%d context switches in %v", took, span)
		if took <= most {
			return
		}
	}
	t.Errorf("more than %d context switches in each of three times %v", most, span)
}

// switches adds up the context switches of all threads of a process, but for those by
// which a busy machine takes the processor away.
func switches(t *testing.T, pid int) (sum int) {
	t.Helper()
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if len(threads) == 0 {
		t.Fatal("the proxy has ended")
	}
	for _, thread := range threads {
		text, _ := os.ReadFile(thread)
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); name == "voluntary_ctxt_switches" {
				n := 0
				_, _ = fmt.Sscan(value, &n)
				sum += n
			}
		}
	}
	return sum
}
