package config

import (
	"os"
	"os/user"
	"path"
	"path/filepath"
	"strings"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// Paths are the places of mcpauth's own files.
type Paths struct {
	ConfigFile string // written by people and by `mcpauth profile`
	StateDir   string // audit, locks, last known tool lists: never a token
}

// AuditDir is where the audit files are.
func (p Paths) AuditDir() string { return filepath.Join(p.StateDir, "audit") }

// DefaultPaths returns where the files are for a home folder on an operating
// system (a GOOS value). The XDG variables are not read, so that `login` in a
// terminal and `proxy` under an AI client that strips the environment look at
// the same files: docs/decisions/0001-no-xdg-variables.md.
func DefaultPaths(home, goos string) Paths {
	if goos == "windows" {
		// Not %APPDATA%: a client from the Store sees a redirected copy of it.
		dir := strings.TrimRight(home, `\/`) + `\.mcpauth`
		return Paths{ConfigFile: dir + `\config.toml`, StateDir: dir + `\state`}
	}
	return Paths{
		ConfigFile: path.Join(home, ".config/mcpauth/config.toml"),
		StateDir:   path.Join(home, ".local/state/mcpauth"),
	}
}

// Home returns the user's home folder: $HOME, %USERPROFILE% on Windows, or
// what the user database says, so that `env -i PATH=…` works too. A relative
// $HOME is passed over: it would mean another folder in each process.
func Home() (string, error) {
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		return home, nil
	}
	u, err := user.Current()
	if err == nil && filepath.IsAbs(u.HomeDir) {
		return u.HomeDir, nil
	}
	return "", &problem.Problem{
		Msg:   "there is no home folder: $HOME is not an absolute path and the user database names none",
		Hints: []string{"set HOME to your home folder and try again"},
		Code:  problem.ExitError,
		Err:   err,
	}
}
