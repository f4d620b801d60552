// Package e2e runs mcpauth with real parts: npm oidc-provider, Chromium driven
// by clicks, gnome-keyring on a message bus of its own, and the Python example
// as the server. Nothing of mcpauth is imported: this is a user's machine.
//
//	npm ci --prefix .ci/e2e && go test ./.ci/e2e
//
// It needs root or user namespaces, and what .ci/run installs.
package e2e

import (
	"os"
	"testing"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

func TestMain(m *testing.M) {
	os.Exit(suite.Session{Name: "e2e", Build: suite.CompileMCPAuth}.Main(m.Run))
}
