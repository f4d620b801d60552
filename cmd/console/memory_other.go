//go:build !linux

package console

// closeMemory does nothing: only Linux lets a process ask for that.
func closeMemory() {}
