//go:build !linux

package backend

import "os/exec"

// awaitEnd waits until the child has ended. A second Wait fails, but ProcessState
// stays.
func awaitEnd(cmd *exec.Cmd) { _ = cmd.Wait() }
