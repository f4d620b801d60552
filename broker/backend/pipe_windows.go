package backend

import "os"

// An end is our end of a pipe to or from the child. No wait needs an interrupt
// here: the job ends every process that could hold the other end.
type end struct{ *os.File }

func pipeToChild() (pipe, error) {
	r, w, err := os.Pipe()
	return pipe{ours: &end{w}, childs: r}, err
}

func pipeFromChild() (pipe, error) {
	r, w, err := os.Pipe()
	return pipe{ours: &end{r}, childs: w}, err
}

// Close does not wait: a write that is blocked keeps the pipe open until the
// child has ended, and ending the child begins with its stdin.
func (e *end) Close() error {
	go func() { _ = e.File.Close() }()
	return nil
}

func (e *end) release() {}
