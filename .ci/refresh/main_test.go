// Package refresh proves the promise of the shared sign-in by running the real
// program: many processes, one sign-in, and a provider or a machine that does
// its worst. The providers are npm oidc-provider and Dex, which judge by their
// own rules, and broker/demoidp where a fault is needed that neither can make.
//
//	npm ci --prefix .ci/e2e && go test ./.ci/refresh
//
// It needs root or user namespaces, and what .ci/run installs. The keychain is
// gnome-keyring on a message bus of its own.
package refresh

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cleanPath is the PATH of every program under test.
const cleanPath = "/usr/local/bin:/usr/bin:/bin"

// buildVariable tells the run inside the session where the programs are.
const buildVariable = "MCPAUTH_REFRESH_BUILD"

// program is the path of something that was built for these tests.
func program(name string) string { return filepath.Join(os.Getenv(buildVariable), name) }

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "browser":
		os.Exit(browse(os.Args[2]))
	case len(os.Args) == 2 && os.Args[1] == "server":
		serve()
		return
	case os.Getenv(buildVariable) != "":
		os.Exit(m.Run())
	}
	status, err := runInSession()
	if err != nil {
		fmt.Fprintln(os.Stderr, "refresh:", err)
		status = 1
	}
	os.Exit(status)
}

// runInSession builds the programs and runs this test program again in a
// session that has a keychain at /run/user/UID/bus and an empty environment.
func runInSession() (int, error) {
	dir, err := os.MkdirTemp("", "mcpauth-refresh-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := build(dir); err != nil {
		return 0, err
	}
	// A relative path to itself would be lost should it change its folder.
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	session := exec.Command("../keyring", append([]string{"--run-user",
		"HOME=" + dir, "PATH=" + cleanPath, buildVariable + "=" + dir, self}, os.Args[1:]...)...)
	session.Stdin, session.Stdout, session.Stderr = nil, os.Stdout, os.Stderr
	err = session.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

func build(dir string) error {
	const mcpauth = "github.com/mcpauth/mcpauth/cmd/mcpauth"
	if err := compile(".", "-o", filepath.Join(dir, "mcpauth"), mcpauth); err != nil {
		return err
	}
	overlay, err := clockOverlay(dir)
	if err != nil {
		return err
	}
	if err := compile(".", "-overlay", overlay, "-o", filepath.Join(dir, "mcpauth-shifted"), mcpauth); err != nil {
		return err
	}
	if err := compile("dex", "-o", filepath.Join(dir, "dex"), "github.com/dexidp/dex/cmd/dex"); err != nil {
		return err
	}
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/dexidp/dex")
	list.Dir = "dex"
	source, err := list.Output()
	if err != nil {
		return fmt.Errorf("where Dex is: %w", err)
	}
	// Dex reads its pages from its source.
	return os.Symlink(filepath.Join(strings.TrimSpace(string(source)), "web"), filepath.Join(dir, "dex-web"))
}

func compile(folder string, args ...string) error {
	command := exec.Command("go", append([]string{"build"}, args...)...)
	command.Dir = folder
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("building %s: %w", args[len(args)-1], err)
	}
	return nil
}
