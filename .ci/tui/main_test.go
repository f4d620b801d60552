// Package tui runs `mcpauth tui` as a person does: in a terminal (tmux), with a
// keychain (gnome-keyring), a provider and real MCP servers. It types keys, and
// looks at the screen until it shows what it should; it never sleeps.
//
//	go test ./.ci/tui                                       the journeys
//	go test ./.ci/tui -run TestScreens -screens docs/screens   pictures for the README
package tui

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// binaryVariable tells the run inside the session where mcpauth is.
const binaryVariable = "MCPAUTH_TUI_BINARY"

// browserWord makes this program a browser without a window.
const browserWord = "be-a-browser"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == browserWord {
		if err := visit(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv(binaryVariable) != "" {
		os.Exit(m.Run())
	}
	status, err := runInSession()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tui:", err)
		status = 1
	}
	os.Exit(status)
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

// runInSession builds mcpauth and runs this test program again in a session with
// a keychain of its own.
func runInSession() (int, error) {
	dir, err := os.MkdirTemp("", "mcpauth-tui-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "mcpauth")
	build := exec.Command("go", "build", "-o", binary, "github.com/mcpauth/mcpauth/cmd/mcpauth")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return 0, fmt.Errorf("building mcpauth: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	session := exec.Command("../keyring", append([]string{self}, os.Args[1:]...)...)
	session.Env = append(os.Environ(), binaryVariable+"="+binary)
	session.Stdout, session.Stderr = os.Stdout, os.Stderr
	err = session.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
