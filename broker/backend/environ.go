package backend

import (
	"runtime"
	"strings"
)

// Environ is base without what is mcpauth's own, and with extra, which wins over
// names of base. Both are lists of NAME=value.
//
// What is taken out, in whatever letter case, is every name that starts with
// MCPAUTH_: our settings, among them passphrases. All else passes, as it would if
// the AI client had started the server itself; a secret that the client meant for
// the server must reach it.
func Environ(base, extra []string) []string {
	env := make([]string, 0, len(base)+len(extra))
	for _, entry := range base {
		name := nameOf(entry)
		if !ours(name) && !sets(extra, name) {
			env = append(env, entry)
		}
	}
	return append(env, extra...)
}

func ours(name string) bool {
	return strings.HasPrefix(strings.ToUpper(name), "MCPAUTH_")
}

func sets(env []string, name string) bool {
	for _, entry := range env {
		if sameName(nameOf(entry), name) {
			return true
		}
	}
	return false
}

// getenv is the value of a name in an environment; the last one counts, as it
// does for os/exec.
func getenv(env []string, name string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if sameName(nameOf(env[i]), name) {
			return env[i][len(nameOf(env[i]))+1:]
		}
	}
	return ""
}

// nameOf is the part before the first "=", or "" if there is none. Windows has
// names that start with one ("=C:=C:\dir").
func nameOf(entry string) string {
	for i := 1; i < len(entry); i++ {
		if entry[i] == '=' {
			return entry[:i]
		}
	}
	return ""
}

func sameName(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	if runtime.GOOS == "windows" {
		return strings.EqualFold(a, b)
	}
	return a == b
}
