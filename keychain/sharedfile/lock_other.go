//go:build !unix

package sharedfile

import "os"

// NoFollow has no meaning here.
const NoFollow = 0

const lockFlags = os.O_CREATE | os.O_RDONLY
