package cmd

import (
	"bytes"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mcpauth/mcpauth/cmd/console"
)

// Whoever may debug other programs of the user does not read tokens in ours.
func TestMemoryIsClosed(t *testing.T) {
	defer unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
	var out bytes.Buffer
	if code := Main(t.Context(), []string{"version"}, console.Streams{In: &out, Out: &out, Err: &out}, console.Deps{}); code != 0 {
		t.Fatalf("exit code %d: %s", code, out.String())
	}
	if open, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || open != 0 {
		t.Errorf("dumpable %d, error %v", open, err)
	}
	if err := exec.Command("/bin/sh", "-c", "test -r /proc/self/environ").Run(); err != nil {
		t.Errorf("a program that we start is closed, too: %v", err)
	}
}
