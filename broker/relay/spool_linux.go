package relay

import (
	"os"

	"golang.org/x/sys/unix"
)

// newSpoolPlace is a file without a name in the kernel's memory: the process
// does not grow by what it holds.
func newSpoolPlace() spoolPlace {
	fd, err := unix.MemfdCreate("mcpauth-message", unix.MFD_CLOEXEC)
	if err != nil {
		return &heapPlace{} // an old kernel or a sandbox
	}
	return os.NewFile(uintptr(fd), "mcpauth-message")
}
