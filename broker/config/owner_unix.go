//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// checkOwner refuses a file that another user could have written.
func checkOwner(path string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return &problem.Problem{
			Msg:   fmt.Sprintf("other users can write %s (mode %04o), so what it says cannot be trusted", path, info.Mode().Perm()),
			Hints: []string{"chmod go-w " + text.QuoteWord(path)},
			Code:  problem.ExitError,
		}
	}
	// root's files are fine: root can do as it likes anyway, and home managers
	// (Nix, Guix) link the configuration to a read-only store that root owns.
	stat, ok := info.Sys().(*syscall.Stat_t)
	if uid := os.Geteuid(); ok && stat.Uid != 0 && int(stat.Uid) != uid {
		return &problem.Problem{
			Msg:   fmt.Sprintf("%s belongs to another user (uid %d, you are %d), so what it says cannot be trusted", path, stat.Uid, uid),
			Hints: []string{fmt.Sprintf("chown %d %s && chmod go-w %s", uid, text.QuoteWord(path), text.QuoteWord(path))},
			Code:  problem.ExitError,
		}
	}
	return nil
}
