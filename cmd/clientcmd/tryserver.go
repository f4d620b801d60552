package clientcmd

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// tryServer starts a server once, before an entry for it is written: what does not
// start here does not start in an AI client. It returns the name that the server gives
// itself, as far as AI clients take it. A program that is not found is told elsewhere.
func tryServer(ctx context.Context, a *console.App, argv []string, cwd string, env []string) string {
	command := backend.Command{Argv: argv, Dir: cwd, Env: backend.Environ(append(slices.Clone(a.Deps.Environ), env...), nil)}
	if _, err := backend.LookUp(command); err != nil {
		return ""
	}
	name, err := broker.TryServer(ctx, command)
	if err != nil && ctx.Err() == nil {
		a.Say("mcpauth started the server to look at it, and it does not work: %s", console.Printable(problem.Of(err).Msg))
		for _, word := range argv[1:] {
			if missingHere(word, cwd) {
				a.Say("  there is no %s in %s", console.Printable(word), console.Printable(folderOf(cwd)))
			}
		}
	}
	return entryName(name)
}

// missingHere reports whether a word looks like the file of a program that is not there.
func missingHere(word, cwd string) bool {
	if ext := filepath.Ext(word); len(ext) < 2 || len(ext) > 4 || strings.HasPrefix(word, "-") || strings.Contains(word, ":") {
		return false
	}
	if !filepath.IsAbs(word) {
		word = filepath.Join(folderOf(cwd), word)
	}
	_, err := os.Stat(word)
	return os.IsNotExist(err)
}

func folderOf(cwd string) string {
	if cwd != "" {
		return cwd
	}
	return console.WorkingDirectory()
}

// entryName makes a name that all AI clients take of what a server calls itself; empty
// where nothing is left.
func entryName(said string) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		if clients.CheckName(string(r)) != nil {
			return '-'
		}
		return r
	}, said), "-")
	if clients.CheckName(name) != nil {
		return ""
	}
	return name
}

// absoluteFiles gives the arguments of a command that are files here their full paths:
// AI clients start in any folder.
func absoluteFiles(command []string) []string {
	whole := slices.Clone(command)
	for i, word := range whole {
		path, err := filepath.Abs(word)
		if i == 0 || err != nil || word == "" || strings.HasPrefix(word, "-") {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			whole[i] = path
		}
	}
	return whole
}
