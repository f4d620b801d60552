//go:build !unix

package keychain

import "os"

const noFollow = 0

const lockFlags = os.O_CREATE | os.O_RDONLY
