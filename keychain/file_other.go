//go:build !unix

package keychain

import "io/fs"

// checkPrivate has nothing to go by where files have no mode: a user's profile
// folder is closed to others there.
func checkPrivate(fs.FileInfo) error { return nil }
