package cmd

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// awaitCommand is "await GLOB [regexp]": waits until there is such a file, with
// such a content.
func awaitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: await GLOB [regexp]")
	}
	pattern := regexp.MustCompile("")
	if len(args) == 2 {
		pattern = regexp.MustCompile("(?m)" + args[1])
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		names, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		for _, name := range names {
			if data, err := os.ReadFile(name); err == nil && pattern.Match(data) {
				return
			}
		}
	}
	ts.Fatalf("in vain: %v", args)
}

// eventuallyCommand is "eventually CODE program [args...]": runs the program
// until it exits with the code.
func eventuallyCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually CODE program [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		got := 0
		var exit *exec.ExitError
		if errors.As(ts.Exec(args[1], args[2:]...), &exit) {
			got = exit.ExitCode()
		}
		if got == want {
			return
		}
	}
	ts.Fatalf("in vain: %v", args)
}

var printedURL = regexp.MustCompile(`"url": ?"(http[^"]+)"`)

// visitCommand is "visit FILE": opens the url of a JSON object, as the person
// does whom an agent has given the link.
func visitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: visit FILE")
	}
	found := printedURL.FindStringSubmatch(ts.ReadFile(args[0]))
	if found == nil {
		ts.Fatalf("visit: there is no url in %s", args[0])
	}
	ts.Check(ts.Exec("testbrowser", found[1]))
}
