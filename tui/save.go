package tui

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// writeFile writes a new file that only this user can read. It never replaces one.
func writeFile(name string, data []byte) *job {
	return run(func(context.Context) tea.Msg {
		name, err := expandHome(strings.TrimSpace(name))
		if err != nil {
			return notice{bad, err.Error()}
		}
		file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return notice{bad, name + " is there already; choose another name"}
		}
		if err == nil {
			_, err = file.Write(data)
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			return notice{bad, err.Error()}
		}
		return notice{good, "saved " + byteSize(len(data)) + " in " + name}
	})
}

// expandHome is a path as a shell would read it.
func expandHome(name string) (string, error) {
	switch {
	case name == "":
		return "", errors.New("the file needs a name")
	case name != "~" && !strings.HasPrefix(name, "~/"):
		return filepath.Clean(name), nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, strings.TrimPrefix(name, "~")), err
}

// fileName makes of a text from outside a name for a file: letters, digits, dots,
// dashes; never hidden, never a path.
func fileName(text, ending string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '-'
	}, text[strings.LastIndexByte(text, '/')+1:])
	name = strings.Trim(name[:min(len(name), 80)], "-.")
	if name == "" {
		name = "mcpauth"
	}
	if !strings.Contains(name, ".") {
		name += ending
	}
	return name
}
