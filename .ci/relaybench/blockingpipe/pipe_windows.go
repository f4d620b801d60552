// Package blockingpipe makes pipes whose reads and writes block in the system.
package blockingpipe

import "os"

// New makes a pipe. On Windows all do that.
func New() (r, w *os.File, err error) { return os.Pipe() }
