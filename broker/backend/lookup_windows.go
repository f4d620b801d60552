package backend

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

const (
	errNotDir = windows.ERROR_PATH_NOT_FOUND
	errNoExec = windows.ERROR_BAD_EXE_FORMAT
)

// program returns path, or path with the first extension of PATHEXT for which
// there is a file: npx is npx.cmd here.
func program(path string, env []string) (string, error) {
	if filepath.Ext(path) != "" {
		if err := file(path); err == nil {
			return path, nil
		}
	}
	extensions := getenv(env, "PATHEXT")
	if extensions == "" {
		extensions = ".com;.exe;.bat;.cmd"
	}
	for extension := range strings.SplitSeq(extensions, ";") {
		if extension != "" && file(path+extension) == nil {
			return path + extension, nil
		}
	}
	return "", fs.ErrNotExist
}

func file(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory", shown(path))
	}
	return err
}
