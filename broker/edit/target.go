package edit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Target is the file to write in order to change a path. It follows symbolic links, so that a file kept in a dotfile
// repository stays a link, and makes the folder, for the user alone.
func Target(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if link, linkErr := os.Readlink(path); linkErr == nil {
			return "", fmt.Errorf("it is a link to %s, which is not there", link)
		}
		target, err = path, os.MkdirAll(filepath.Dir(path), 0o700)
	}
	return target, err
}
