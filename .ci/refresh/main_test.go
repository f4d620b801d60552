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
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "browser":
		os.Exit(browse(os.Args[2]))
	case len(os.Args) == 2 && os.Args[1] == "server":
		serve()
		return
	}
	os.Exit(suite.Session{Name: "refresh", Build: build}.Main(m.Run))
}

func build(dir string) error {
	if err := suite.CompileMCPAuth(dir); err != nil {
		return err
	}
	overlay, err := clockOverlay(dir)
	if err != nil {
		return err
	}
	if err := suite.Compile(".", "-overlay", overlay, "-o", filepath.Join(dir, "mcpauth-shifted"), "github.com/mcpauth/mcpauth/cmd/mcpauth"); err != nil {
		return err
	}
	if err := suite.Compile("dex", "-o", filepath.Join(dir, "dex"), "github.com/dexidp/dex/cmd/dex"); err != nil {
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
