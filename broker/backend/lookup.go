package backend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// lookUp finds the program of a command like execvp(3) does, but in the child's
// PATH and never in a relative directory: `.` in a PATH would run whatever lies
// in the folder that the AI client happened to start us in.
func lookUp(c Command) (string, error) {
	name := c.Argv[0]
	if strings.ContainsRune(name, '/') || strings.ContainsRune(name, filepath.Separator) {
		return lookUpPath(c, name)
	}
	path := getenv(c.Env, "PATH")
	var refused error
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		found, err := program(filepath.Join(dir, name), c.Env)
		switch {
		case err == nil:
			return found, nil
		case !missing(err) && refused == nil:
			refused = err
		}
	}
	if refused != nil {
		return "", startError(c, NotExecutable, refused)
	}
	return "", startError(c, NotFound, notInPath(c, path))
}

// lookUpPath checks a program that was given with its path, relative to Dir.
func lookUpPath(c Command, name string) (string, error) {
	path := name
	if c.Dir != "" && !filepath.IsAbs(name) {
		dir, err := filepath.Abs(c.Dir)
		if err != nil {
			return "", startError(c, BadDir, err)
		}
		path = filepath.Join(dir, name)
	}
	found, err := program(path, c.Env)
	switch {
	case err == nil:
		return found, nil
	case missing(err):
		return "", startError(c, NotFound, fmt.Errorf("no such file: %s", shown(path)))
	}
	return "", startError(c, NotExecutable, err)
}

// missing reports that there is no file, so that the search goes on. A file in
// the place of a directory of PATH is nothing else.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir)
}

// notInPath names the usual reason: AI clients start servers with a PATH much
// shorter than that of a terminal.
func notInPath(c Command, path string) error {
	name := c.Argv[0]
	if path == "" {
		return errors.New("not found: the environment has no PATH; give the program's full path")
	}
	if info, err := os.Stat(filepath.Join(c.Dir, name)); err == nil && !info.IsDir() {
		return fmt.Errorf("not found in PATH (%s); for the file of that name in the working directory write .%c%s",
			capped(path, 200), filepath.Separator, name)
	}
	return fmt.Errorf("not found in PATH (%s); give the program's full path", capped(path, 200))
}

// execError turns the error of fork and exec into words.
func execError(c Command, path string, err error) error {
	switch {
	case missing(err):
		return startError(c, NotExecutable, fmt.Errorf("the interpreter that %s names in its first line is missing", shown(path)))
	case errors.Is(err, errNoExec):
		return startError(c, NotExecutable, fmt.Errorf("%s is no program for this system (a script needs a #! line)", shown(path)))
	case errors.Is(err, fs.ErrPermission):
		return startError(c, NotExecutable, err)
	}
	return startError(c, Other, err)
}

// LookUp finds the program of a command as [Start] does, and starts nothing. Its
// errors are of type *[StartError].
func LookUp(c Command) (string, error) { return resolve(c) }
