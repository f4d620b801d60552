package cmd

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// detached is a process group without a console, which no console's end takes
// along.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS, HideWindow: true}
}
