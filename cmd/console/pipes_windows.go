package console

import (
	"errors"

	"golang.org/x/sys/windows"
)

// IgnoreBrokenPipes does nothing: Windows has no such signal.
func IgnoreBrokenPipes() {}

// readerGone reports that what was written to was a pipe that nobody reads.
func readerGone(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA) || errors.Is(err, windows.ERROR_PIPE_NOT_CONNECTED)
}
