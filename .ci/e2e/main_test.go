// Package e2e runs mcpauth with real parts: npm oidc-provider, Chromium driven
// by clicks, gnome-keyring on a message bus of its own, and the Python example
// as the server. Nothing of mcpauth is imported: this is a user's machine.
//
//	npm ci --prefix .ci/e2e && go test ./.ci/e2e
//
// It needs root or user namespaces, and what .ci/run installs.
package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// cleanPath is the PATH of every program under test.
const cleanPath = "/usr/local/bin:/usr/bin:/bin"

// binaryVariable tells the run inside the session where mcpauth is.
const binaryVariable = "MCPAUTH_E2E_BINARY"

func TestMain(m *testing.M) {
	if os.Getenv(binaryVariable) != "" {
		os.Exit(m.Run())
	}
	status, err := runInSession()
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		status = 1
	}
	os.Exit(status)
}

// runInSession builds mcpauth and runs this test program again in a session
// that has a keychain at /run/user/UID/bus and an empty environment.
func runInSession() (int, error) {
	dir, err := os.MkdirTemp("", "mcpauth-e2e-")
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
	// A relative path to itself would be lost should it change its folder.
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	session := exec.Command("../keyring", append([]string{"--run-user",
		"HOME=" + dir, "PATH=" + cleanPath, binaryVariable + "=" + binary, self}, os.Args[1:]...)...)
	session.Stdin, session.Stdout, session.Stderr = nil, os.Stdout, os.Stderr
	err = session.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
