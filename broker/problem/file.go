package problem

import (
	"errors"
	"fmt"
	"io/fs"
)

// Unreadable is the problem of a file that cannot be read.
func Unreadable(path string, err error) *Problem {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err // the path is in the message already
	}
	return &Problem{Msg: fmt.Sprintf("cannot read %s: %v", path, err), Code: ExitError, Err: err}
}
