package config

import "io/fs"

// checkOwner accepts every file: the mode bits mean nothing on Windows, and
// %USERPROFILE% is closed to other users by its ACL.
func checkOwner(string, fs.FileInfo) error { return nil }
