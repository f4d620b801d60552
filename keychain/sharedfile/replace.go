package sharedfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Replace writes a file in one step: after a crash at any point the old
// content is there or the new one, and so for a program that reads it meanwhile. A file
// that was there keeps its mode, a new one has 0600, and a new folder 0700. What
// a crash leaves beside it, a later call takes away.
func Replace(path string, content []byte) error {
	folder, mode := filepath.Dir(path), fs.FileMode(0o600)
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
		mode = info.Mode().Perm()
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, filepath.Base(path)+freshPattern)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close()); err == nil {
		err = rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	sweep(path)
	return syncFolder(folder)
}

const (
	freshPattern = ".new-*"
	freshLife    = time.Hour // far longer than any write takes
)

// sweep is best effort: what it leaves, the next one finds.
func sweep(path string) {
	left, _ := filepath.Glob(path + freshPattern) // a folder with a * in it keeps its leftovers
	for _, name := range left {
		if info, err := os.Lstat(name); err == nil && time.Since(info.ModTime()) > freshLife {
			_ = os.Remove(name)
		}
	}
}

// rename puts one file in the place of another. A file that is open cannot be
// replaced on Windows.
func rename(from, to string) error {
	return Retry(func() error { return os.Rename(from, to) })
}

// Open opens a file for reading that Replace may be replacing now.
// flags are more flags of os.OpenFile than O_RDONLY.
func Open(path string, flags int) (file *os.File, err error) {
	err = Retry(func() error {
		file, err = os.OpenFile(path, os.O_RDONLY|flags, 0)
		return err
	})
	return file, err
}

// Read reads all of a file that Replace may be replacing now.
func Read(path string) ([]byte, error) {
	file, err := Open(path, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// Retry tries for three seconds on Windows, where a file that is being replaced
// cannot be opened, nor one replaced that is being read: a sharing violation or,
// in between, "access is denied". Both last for moments.
func Retry(do func() error) error {
	err := do()
	for tries := 0; runtime.GOOS == "windows" && err != nil && !errors.Is(err, fs.ErrNotExist) && tries < 150; tries++ {
		time.Sleep(20 * time.Millisecond)
		err = do()
	}
	return err
}

// syncFolder makes the rename last. Windows has no such call, and does not need it.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
