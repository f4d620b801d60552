package cmd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// patience bounds how long a script waits for what must come; a machine that
// does much else takes seconds to start a program.
const patience = 30 * time.Second

// runClient is "client FILE PROGRAM [args...]", an AI client in a script: it
// says the lines of FILE to the program, and closes when each request of them
// has its answer, or the program has ended.
func runClient() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: client FILE PROGRAM [args...]")
		os.Exit(2)
	}
	os.Exit(talk(os.Args[1], os.Args[2], os.Args[3:]))
}

func talk(file, program string, args []string) int {
	lines, err := os.ReadFile(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		return 1
	}
	child := exec.Command(program, args...)
	child.Stderr = os.Stderr
	in, _ := child.StdinPipe()
	out, _ := child.StdoutPipe()
	if err := child.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		return 1
	}
	open := requests(lines)
	go func(silent bool) {
		_, _ = in.Write(lines) // a program that ends early reads no more
		if silent {
			_ = in.Close()
		}
	}(len(open) == 0)
	late := time.AfterFunc(patience, func() { _ = in.Close() })
	hear(out, open, func() { _ = in.Close() })
	late.Stop()
	_ = child.Wait()
	return child.ProcessState.ExitCode()
}

// message is what the client of a script looks at in a line.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
}

// requests are the ids that lines wait for.
func requests(lines []byte) map[string]bool {
	open := map[string]bool{}
	for line := range bytes.Lines(lines) {
		var m message
		if json.Unmarshal(line, &m) == nil && m.ID != nil {
			open[string(m.ID)] = true
		}
	}
	return open
}

// hear prints what comes until the end, and says when nothing is open any more.
func hear(out io.Reader, open map[string]bool, done func()) {
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadBytes('\n')
		_, _ = os.Stdout.Write(line)
		var m message
		if json.Unmarshal(line, &m) == nil && m.Method == "" && open[string(m.ID)] {
			if delete(open, string(m.ID)); len(open) == 0 {
				done()
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintln(os.Stderr, "client:", err)
			}
			return
		}
	}
}
