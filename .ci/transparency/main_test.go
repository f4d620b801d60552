// Package transparency shows that `mcpauth proxy` is invisible: real servers and
// real clients say and hear through it what they say and hear without it, byte
// for byte, but for the user that it adds. And it shows that nothing is left of
// the proxy and its server, whatever becomes of them.
//
//	npm ci --prefix .ci/transparency && go test ./.ci/transparency
//
// It needs root or user namespaces, and what .ci/run installs. README.md says
// what is compared, and which test covers which message and which fault.
package transparency

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// cleanPath is the PATH of every program under test.
const cleanPath = "/usr/local/bin:/usr/bin:/bin"

// programsVariable tells the run inside the session where the programs are.
const programsVariable = "TRANSPARENCY_PROGRAMS"

// parts are the programs that the test binary plays when its first argument
// names one. Arguments, because a variable would be seen by the servers.
var parts = map[string]func(args []string){
	"loopback":     playLoopback,
	"browser":      playBrowser,
	"tee":          playTee,
	"broken":       playBroken,
	"puppet":       func([]string) { playPuppet() },
	"mcpgo":        func([]string) { playMCPGo() },
	"mcpgo-client": playMCPGoClient,
	"person":       playPerson,
	"faulty":       playFaulty,
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if play := parts[os.Args[1]]; play != nil {
			play(os.Args[2:])
			return
		}
	}
	if os.Getenv(programsVariable) != "" {
		os.Exit(runTests(m))
	}
	status, err := runInSession()
	if err != nil {
		fmt.Fprintln(os.Stderr, "transparency:", err)
		status = 1
	}
	os.Exit(status)
}

// runInSession builds the programs and runs this test program again in a session
// without a network, with a keychain at /run/user/UID/bus and with an empty
// environment.
func runInSession() (int, error) {
	dir, err := os.MkdirTemp("", "transparency-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := build(dir); err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	args := append([]string{"loopback", "../keyring", "--run-user",
		"HOME=" + dir, "PATH=" + cleanPath, programsVariable + "=" + dir, self}, os.Args[1:]...)
	session := exec.Command(self, args...)
	session.SysProcAttr = ownNetwork()
	session.Stdout, session.Stderr = os.Stdout, os.Stderr
	err = session.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// ownNetwork is a network namespace: no server under test reaches a network.
func ownNetwork() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// playLoopback gives the new network its loopback device and becomes a command.
func playLoopback(command []string) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	check(err)
	device, err := unix.NewIfreq("lo")
	check(err)
	device.SetUint16(unix.IFF_UP)
	check(unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, device))
	check(syscall.Exec(command[0], command, os.Environ()))
}

// build makes the programs under test. Those of go-sdk have a go.mod of their
// own, so that the product's need not know them.
func build(dir string) error {
	for name, from := range map[string][2]string{
		"mcpauth":           {".", "github.com/mcpauth/mcpauth/cmd/mcpauth"},
		"everything-server": {"gosdk", "github.com/modelcontextprotocol/go-sdk/conformance/everything-server"},
		"gosdk-client":      {"gosdk", "."},
	} {
		command := exec.Command("go", "build", "-o", filepath.Join(dir, name), from[1])
		command.Dir = from[0]
		command.Stdout, command.Stderr = os.Stderr, os.Stderr
		if err := command.Run(); err != nil {
			return fmt.Errorf("building %s: %w", name, err)
		}
	}
	return nil
}

// program is the path of one that build made.
func program(name string) string { return filepath.Join(os.Getenv(programsVariable), name) }

// part is the argv of this test binary in one of its parts.
func part(name string, args ...string) []string {
	self, err := os.Executable()
	check(err)
	return append([]string{self, name}, args...)
}

// absolute is the path of a file of the repository.
func absolute(path string) string {
	whole, err := filepath.Abs(path)
	check(err)
	return whole
}

// check ends a part that cannot go on.
func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "transparency:", err)
		os.Exit(1)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
