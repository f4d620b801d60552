package doctor

import (
	"io/fs"

	"golang.org/x/sys/windows"
)

// othersMay is false: %USERPROFILE% is closed to other users by its ACL.
func othersMay(fs.FileInfo) bool { return false }

// foreignOwner is false, for the same reason.
func foreignOwner(fs.FileInfo) bool { return false }

// freeBytes is what this user may still write to the disk of a folder.
func freeBytes(dir string) (uint64, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return free, err
}
