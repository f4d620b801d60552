package audit

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"

	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// openFile opens a file of the folder for reading and writing, with O_CREATE and
// O_APPEND among the flags if that is meant. The folder lies in the user's profile,
// whose access list keeps others out.
func openFile(dir, name string, flags int) (*os.File, fileMark, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fileMark{}, err
	}
	path := filepath.Join(dir, name)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fileMark{}, fmt.Errorf("%w: the file is a link or not a regular file", ErrUnsafe)
	}
	var file *os.File
	err := sharedfile.Retry(func() (err error) { // another writer may be taking an old file away
		file, err = os.OpenFile(path, os.O_RDWR|flags, 0o600)
		return err
	})
	if err != nil {
		return nil, fileMark{}, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, fileMark{}, err
	}
	return file, fileMark{info}, nil
}

// A fileMark tells the open file from another of the same name.
type fileMark struct{ info os.FileInfo }

// sizeAt is the size of the file under a name, if it is still the marked one: it
// may have been moved away, removed or replaced by a link.
func (m fileMark) sizeAt(path string) (size int64, same bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, false
	}
	return info.Size(), os.SameFile(info, m.info)
}

// tryLock takes the lock of an open file, and reports false when another has it. It
// ends with the file, and with the process. Locks of Windows keep readers out, so
// it is on a byte far behind the end.
func tryLock(file *os.File) (bool, error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	beyond := &windows.Overlapped{OffsetHigh: 1 << 30}
	err := windows.LockFileEx(windows.Handle(file.Fd()), flags, 0, 1, 0, beyond)
	if err == windows.ERROR_LOCK_VIOLATION || err == windows.ERROR_IO_PENDING {
		return false, nil
	}
	return err == nil, err
}
