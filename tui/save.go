package tui

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/tui/widget"
)

// writeFile writes a new file that only this user can read. It never replaces one.
func writeFile(name string, data []byte) *widget.Job {
	return widget.Run(func(context.Context) tea.Msg {
		name, err := expandHome(strings.TrimSpace(name))
		if err != nil {
			return widget.Bad(err.Error())
		}
		file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return widget.Bad(name + " is there already; choose another name")
		}
		if err == nil {
			_, err = file.Write(data)
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			return widget.Bad(err.Error())
		}
		return widget.Good("saved " + widget.ByteSize(len(data)) + " in " + name)
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
