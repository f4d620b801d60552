// Command rawpipe is what a relay is compared with: it starts a command and
// copies bytes, with blocking descriptors on both sides, and does nothing else.
//
//	rawpipe COMMAND [ARG...]
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"github.com/mcpauth/mcpauth/.ci/relaybench/blockingpipe"
)

func main() {
	runtime.GOMAXPROCS(4) // as in relaybench, and for its reason
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "rawpipe:", err)
		os.Exit(1)
	}
}

func run(argv []string) error {
	childIn, toChild, err := blockingpipe.New()
	if err != nil {
		return err
	}
	fromChild, childOut, err := blockingpipe.New()
	if err != nil {
		return err
	}
	child := exec.Command(argv[0], argv[1:]...)
	child.Stdin, child.Stdout, child.Stderr = childIn, childOut, os.Stderr
	if err := child.Start(); err != nil {
		return err
	}
	childIn.Close()
	childOut.Close()
	go func() {
		copyBytes(toChild, os.Stdin)
		toChild.Close()
	}()
	copyBytes(os.Stdout, fromChild)
	return child.Wait()
}

// copyBytes is no io.Copy: that would take splice(2), which is no relay.
func copyBytes(w, r *os.File) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Read(buffer)
		if err != nil {
			return
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return
		}
	}
}
