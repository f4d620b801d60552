//go:build unix

package backend

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	errNotDir = syscall.ENOTDIR
	errNoExec = syscall.ENOEXEC
)

// program returns path if it is a file that we may execute.
func program(path string, _ []string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return "", fmt.Errorf("%s is a directory", shown(path))
	}
	err = unix.Access(path, unix.X_OK)
	// Root may "execute" anything that has one x bit, and nothing that has none;
	// EPERM and ENOSYS come from sandboxes that do not know the call.
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		err = nil
	}
	if err != nil || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%s is not executable (chmod +x, or start it with its interpreter)", shown(path))
	}
	return path, nil
}
