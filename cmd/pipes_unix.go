//go:build unix

package cmd

import (
	"os"
	"os/signal"
	"syscall"
)

// ignoreBrokenPipes lets a write to a client that is gone fail, instead of
// ending the program before the server behind it is ended. The signal is
// caught, not ignored: children would inherit that.
func ignoreBrokenPipes() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}
