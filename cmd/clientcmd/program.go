package clientcmd

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// programForClients is the path of mcpauth that an AI client is to start: one
// that stays when mcpauth is updated, and the lean program when it stands beside.
func programForClients(a *console.App) (string, error) {
	self, err := a.Deps.Executable()
	if err != nil {
		return "", err
	}
	if self, err = filepath.Abs(self); err != nil {
		return "", err
	}
	if strings.Contains(filepath.ToSlash(self), "/go-build") {
		return "", &problem.Problem{
			Msg:   "this mcpauth is a temporary one of go run, which will be gone when your AI client starts it",
			Hints: []string{"go install ./cmd/mcpauth", "then run the installed mcpauth"},
			Code:  problem.ExitError,
		}
	}
	program := stablePath(self, a.Deps.Env("PATH"))
	lean := filepath.Join(filepath.Dir(program), "mcpauth-proxy"+filepath.Ext(program))
	if info, err := os.Stat(lean); err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0) {
		return lean, nil
	}
	return program, nil
}

// stablePath is the link in PATH that leads to this program, if there is one:
// the system gives the path without links, which package managers change with
// each version.
func stablePath(self, path string) string {
	mine, err := os.Stat(self)
	if err != nil {
		return self
	}
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		candidate := filepath.Join(dir, filepath.Base(self))
		if info, err := os.Stat(candidate); err == nil && os.SameFile(mine, info) {
			return candidate
		}
	}
	return self
}
