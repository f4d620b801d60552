//go:build !linux

package cmd

// closeMemory does nothing: only Linux lets a process ask for that.
func closeMemory() {}
