package windows

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const module = "github.com/mcpauth/mcpauth/"

// tested are the packages whose own tests run here, with the tests to run: those
// that have to do with processes, files, locks, paths and the time.
var tested = []struct{ folder, tests string }{
	{"broker/backend", "."},
	{"broker/audit", "."},
	{"broker/clients", "."},
	{"broker/relay", "."},
	{"broker/identity", "Lock|Refresh"},
	{"keychain", "."},
}

// compile makes mcpauth.exe, suite.exe and the test programs of packages.
func compile(dir string) error {
	overlay, err := deletesUnderWine(dir)
	if err != nil {
		return err
	}
	if err := goTool("build", "-o", filepath.Join(dir, "mcpauth.exe"), module+"cmd/mcpauth"); err != nil {
		return err
	}
	if err := goTool("test", "-c", "-overlay", overlay, "-o", filepath.Join(dir, "suite.exe"), "."); err != nil {
		return err
	}
	for _, one := range tested {
		if err := goTool("test", "-c", "-overlay", overlay, "-o", testProgram(dir, one.folder), module+one.folder); err != nil {
			return err
		}
	}
	return nil
}

func testProgram(dir, folder string) string {
	return filepath.Join(dir, strings.ReplaceAll(folder, "/", "-")+".test.exe")
}

func goTool(args ...string) error {
	command := exec.Command("go", args...)
	command.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// deletesUnderWine writes what `go test -overlay` needs for tests that remove
// their folders under wine 8: it answers "not implemented" to a way of deletion
// that Go then gives up, where other systems answer "not supported" and Go tries
// the older one. mcpauth.exe is compiled without it.
func deletesUnderWine(dir string) (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("where Go is: %w", err)
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src/internal/syscall/windows/at_windows.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	patched := strings.Replace(string(text), "\t\tSTATUS_NOT_SUPPORTED:", "\t\tNTStatus(0xC0000002), STATUS_NOT_SUPPORTED:", 1)
	if patched == string(text) {
		return "", fmt.Errorf("Deleteat of %s is not as expected", source)
	}
	replacement := filepath.Join(dir, "at_windows.go")
	if err := os.WriteFile(replacement, []byte(patched), 0o600); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{source: replacement}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, list, 0o600)
}
