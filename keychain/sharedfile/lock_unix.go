//go:build unix

package sharedfile

import (
	"os"
	"syscall"
)

// NoFollow opens no link that was planted in place of a file, and does not wait
// for the other side of a pipe.
const NoFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// A link planted in place of the lock would make us create a file elsewhere,
// and a pipe would hold us for ever in open.
const lockFlags = os.O_CREATE | os.O_RDONLY | NoFollow
