//go:build unix

package audit

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openFile opens a file of the folder for reading and writing, with O_CREATE and
// O_APPEND among the flags if that is meant. The folder is opened first and the file
// relative to it, so that what was checked is what is used.
func openFile(dir, name string, flags int) (*os.File, fileMark, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fileMark{}, err
	}
	folder, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fileMark{}, linkError(err, "the folder")
	}
	defer unix.Close(folder)
	if err := checkFolder(folder); err != nil {
		return nil, fileMark{}, err
	}
	// O_NONBLOCK: a FIFO in the file's place must not hang us.
	flags |= unix.O_RDWR | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_NONBLOCK
	fd, err := unix.Openat(folder, name, flags, 0o600)
	if err != nil {
		return nil, fileMark{}, linkError(err, "the file")
	}
	mark, err := checkFile(fd)
	if err != nil {
		unix.Close(fd)
		return nil, fileMark{}, err
	}
	unix.SetNonblock(fd, false) // else package os would try Go's poller
	return os.NewFile(uintptr(fd), filepath.Join(dir, name)), mark, nil
}

// linkError tells a planted link from other errors: O_NOFOLLOW says ELOOP, and
// with O_DIRECTORY some kernels say ENOTDIR.
func linkError(err error, what string) error {
	if err == unix.ELOOP || err == unix.ENOTDIR {
		return fmt.Errorf("%w: %s is a link or not of its kind", ErrUnsafe, what)
	}
	return err
}

func checkFolder(fd int) error {
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return err
	}
	switch {
	case int(info.Uid) != os.Geteuid():
		return fmt.Errorf("%w: the folder belongs to user %d", ErrUnsafe, info.Uid)
	case info.Mode&0o022 != 0:
		return fmt.Errorf("%w: others may write to the folder (mode %#o); look into it, then chmod 700", ErrUnsafe, info.Mode&0o777)
	case info.Mode&0o077 != 0:
		return unix.Fchmod(fd, 0o700)
	}
	return nil
}

func checkFile(fd int) (fileMark, error) {
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return fileMark{}, err
	}
	mark := markOf(&info)
	switch {
	case info.Mode&unix.S_IFMT != unix.S_IFREG:
		return mark, fmt.Errorf("%w: the file is not a regular file", ErrUnsafe)
	case int(info.Uid) != os.Geteuid():
		return mark, fmt.Errorf("%w: the file belongs to user %d", ErrUnsafe, info.Uid)
	case info.Nlink > 1:
		return mark, fmt.Errorf("%w: the file has a second hard link", ErrUnsafe)
	case info.Mode&0o077 != 0:
		return mark, unix.Fchmod(fd, 0o600)
	}
	return mark, nil
}

// A fileMark tells the open file from another of the same name.
type fileMark struct{ device, inode uint64 }

// sizeAt is the size of the file under a name, if it is still the marked one: it
// may have been moved away, removed or replaced by a link.
func (m fileMark) sizeAt(path string) (size int64, same bool) {
	var info unix.Stat_t
	if unix.Lstat(path, &info) != nil {
		return 0, false
	}
	return info.Size, m == markOf(&info)
}

func markOf(info *unix.Stat_t) fileMark {
	return fileMark{device: uint64(info.Dev), inode: uint64(info.Ino)}
}

// tryLock takes the lock of an open file, and reports false when another has it. It
// ends with the file, and with the process. Windows has the same.
func tryLock(file *os.File) (bool, error) {
	err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return false, nil
	}
	return err == nil, err
}
