//go:build unix && !linux

package backend

import "syscall"

// withoutTerminal makes the child the leader of a session that has no terminal.
func withoutTerminal() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
