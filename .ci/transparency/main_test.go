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

	"github.com/mcpauth/mcpauth/.ci/suite"
)

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
	os.Exit(suite.Session{Name: "transparency", Build: build, Command: withoutNetwork}.Main(func() int { return runTests(m) }))
}

// withoutNetwork begins a session in a network of its own.
func withoutNetwork(argv []string) *exec.Cmd {
	argv = part("loopback", argv...)
	session := exec.Command(argv[0], argv[1:]...)
	session.SysProcAttr = ownNetwork()
	return session
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
	return errors.Join(
		suite.CompileMCPAuth(dir),
		suite.Compile("gosdk", "-o", filepath.Join(dir, "everything-server"), "github.com/modelcontextprotocol/go-sdk/conformance/everything-server"),
		suite.Compile("gosdk", "-o", filepath.Join(dir, "gosdk-client"), "."),
	)
}

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
