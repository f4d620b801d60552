package keychain

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// ReplaceFile writes a file in one step: after a crash at any point the old
// content is there or the new one, and so for whoever reads it meanwhile. A file
// that was there keeps its mode, a new one has 0600, and a new folder 0700. What
// a crash leaves beside it, a later call takes away.
func ReplaceFile(path string, content []byte) error {
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

// rename tries for a second on Windows, where a file that somebody reads cannot
// be replaced. Readers have it open for moments.
func rename(from, to string) error {
	err := os.Rename(from, to)
	for tries := 0; err != nil && runtime.GOOS == "windows" && tries < 50; tries++ {
		time.Sleep(20 * time.Millisecond)
		err = os.Rename(from, to)
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
