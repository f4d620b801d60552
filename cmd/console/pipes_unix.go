//go:build unix

package console

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// IgnoreBrokenPipes lets a write to a client that has left fail, instead of
// ending the program before its server. The signal is
// caught, not ignored: children would inherit that.
func IgnoreBrokenPipes() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}

// readerGone reports that what was written to was a pipe that nobody reads. Most
// commands are ended by SIGPIPE then.
func readerGone(err error) bool { return errors.Is(err, syscall.EPIPE) }
