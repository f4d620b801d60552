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
)

func main() {
	runtime.GOMAXPROCS(4) // as in relaybench, and for its reason
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "rawpipe:", err)
		os.Exit(1)
	}
}

func run(argv []string) error {
	childIn, toChild, err := blockingPipe()
	if err != nil {
		return err
	}
	fromChild, childOut, err := blockingPipe()
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

// blockingPipe keeps out of Go's poller, as standard input does: mixing both
// costs ten times the latency.
func blockingPipe() (r, w *os.File, err error) {
	if r, w, err = os.Pipe(); err != nil {
		return nil, nil, err
	}
	r.Fd() // makes it blocking, for good
	w.Fd()
	return r, w, nil
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
