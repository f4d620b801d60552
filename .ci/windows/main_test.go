// Package windows runs mcpauth.exe as its users do, and the tests of packages
// that were compiled for Windows: on Windows itself, and elsewhere under Debian's
// wine64. Wine is not Windows; docs/platforms.md says what that leaves open.
//
//	go test ./.ci/windows
//
// Elsewhere this program compiles all, itself too, and runs itself under wine.
package windows

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// programsVariable names the folder of what was compiled.
const programsVariable = "MCPAUTH_CI_PROGRAMS"

func TestMain(m *testing.M) {
	role := ""
	if len(os.Args) > 1 {
		role = os.Args[1]
	}
	switch {
	case role == "browser":
		exitOn(visit(os.Args[len(os.Args)-1]))
	case role == "server":
		serve()
	case role == "sleeper":
		time.Sleep(time.Hour)
	case os.Getenv(programsVariable) != "":
		os.Exit(m.Run())
	default:
		status, err := outside(m)
		exitOn(err)
		os.Exit(status)
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// outside compiles the programs and runs the tests where these can run.
func outside(m *testing.M) (status int, err error) {
	dir, err := os.MkdirTemp("", "mcpauth-windows-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := compile(dir); err != nil {
		return 0, err
	}
	if runtime.GOOS == "windows" {
		err := os.Setenv(programsVariable, dir)
		return m.Run(), err
	}
	return underWine(dir)
}

// visit follows the pages of a sign-in, as a browser in which nobody has to click.
func visit(address string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	client := http.Client{Jar: jar, Timeout: 20 * time.Second}
	response, err := client.Get(address)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// wine is where Debian's package wine64 has it.
const wine = "/usr/lib/wine/"

// underWine makes a Windows of its own below dir, and runs this program there.
func underWine(dir string) (status int, err error) {
	prefix := filepath.Join(dir, "prefix")
	environ := append(os.Environ(), "WINEPREFIX="+prefix, "WINEARCH=win64", "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
	run := func(argv ...string) error {
		command := exec.Command(argv[0], argv[1:]...)
		command.Env = environ
		command.Stdout, command.Stderr = os.Stdout, os.Stderr
		return command.Run()
	}
	defer func() { _ = run(wine+"wineserver", "-k") }()
	system := filepath.Join(prefix, "drive_c", "windows", "system32")
	for _, argv := range [][]string{
		{wine + "wine64", "wineboot", "--init"},
		{wine + "wineserver", "-w"},
		{"x86_64-w64-mingw32-gcc", "-shared", "-Os", "-o", filepath.Join(system, "bcryptprimitives.dll"), "testdata/bcryptprimitives.c", "-ladvapi32"},
	} {
		if err := run(argv...); err != nil {
			return 0, fmt.Errorf("%v: %w (apt-get install wine64 gcc-mingw-w64-x86-64-win32)", argv, err)
		}
	}
	environ = append(environ, programsVariable+`=Z:`+filepath.ToSlash(dir))
	err = run(append([]string{wine + "wine64", filepath.Join(dir, "suite.exe")}, os.Args[1:]...)...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
