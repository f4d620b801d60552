//go:build unix

package cmd

import "syscall"

// detached is a session of its own, which no terminal's end takes along.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
