package transparency

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tee puts a recorder in front of a server.
func tee(folder string, server []string) []string {
	return part("tee", append([]string{folder}, server...)...)
}

// playTee runs the server of its arguments and records what that receives and
// says. A chunk is recorded before it goes on: who has heard an answer finds it
// in the record.
func playTee(args []string) {
	folder, server := args[0], exec.Command(args[1], args[2:]...)
	server.Stderr = os.Stderr
	stdin, err := server.StdinPipe()
	check(err)
	stdout, err := server.StdoutPipe()
	check(err)
	check(server.Start())
	go func() {
		record(filepath.Join(folder, "received"), os.Stdin, stdin)
		stdin.Close()
	}()
	record(filepath.Join(folder, "said"), stdout, os.Stdout)
	err = server.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	check(err)
}

// record copies until one side ends.
func record(path string, from io.Reader, to io.Writer) {
	file, err := os.Create(path)
	check(err)
	defer file.Close()
	_, _ = io.Copy(io.MultiWriter(file, to), from)
}

// recorded reads the lines of a record, without their line ends.
func recorded(t *testing.T, folder, name string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	if len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}
