// Package suite is what the test suites of .ci share: a session with a
// keychain of its own in which a test program runs again, and the programs that
// it is about.
package suite

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// CleanPath is the PATH of every program under test.
const CleanPath = "/usr/local/bin:/usr/bin:/bin"

// folderVariable tells the run inside the session where the programs are.
const folderVariable = "MCPAUTH_CI_PROGRAMS"

// Session is how a test program gets its programs and its session.
type Session struct {
	Name  string                 // of the suite, for what goes wrong
	Build func(dir string) error // makes the programs
	// Command begins the session's first program; nil means exec.Command.
	Command func(argv []string) *exec.Cmd
}

// Main is for a TestMain. It runs the tests where the session is there already.
// Otherwise it builds the programs and runs this test program again in a session
// that has a keychain at /run/user/UID/bus and an empty environment. It returns
// the exit status.
func (s Session) Main(tests func() int) int {
	if os.Getenv(folderVariable) != "" {
		return tests()
	}
	status, err := s.enter()
	if err != nil {
		fmt.Fprintln(os.Stderr, s.Name+":", err)
		return 1
	}
	return status
}

func (s Session) enter() (int, error) {
	dir, err := os.MkdirTemp("", "mcpauth-"+s.Name+"-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := s.Build(dir); err != nil {
		return 0, err
	}
	// A relative path to itself would be lost should it change its folder.
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	argv := append([]string{"../keyring", "--run-user",
		"HOME=" + dir, "PATH=" + CleanPath, folderVariable + "=" + dir, self}, os.Args[1:]...)
	session := exec.Command(argv[0], argv[1:]...)
	if s.Command != nil {
		session = s.Command(argv)
	}
	session.Stdin, session.Stdout, session.Stderr = nil, os.Stdout, os.Stderr
	err = session.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// Program is the path of something that was built for these tests.
func Program(name string) string { return filepath.Join(os.Getenv(folderVariable), name) }

// Compile runs go build in a folder, for a module of its own.
func Compile(folder string, args ...string) error {
	command := exec.Command("go", append([]string{"build"}, args...)...)
	command.Dir = folder
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("building %s: %w", args[len(args)-1], err)
	}
	return nil
}

// CompileMCPAuth builds mcpauth into a folder.
func CompileMCPAuth(dir string) error {
	return Compile(".", "-o", filepath.Join(dir, "mcpauth"), "github.com/mcpauth/mcpauth/cmd/mcpauth")
}
