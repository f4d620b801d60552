//go:build unix

package keychain

import (
	"os"
	"syscall"
)

// A link planted in place of the lock would make us create a file elsewhere,
// and a pipe would hold us for ever in open.
const lockFlags = os.O_CREATE | os.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
