package backend

import "os"

// A fileEnd is the one kind of end here, polled or not. No wait needs an interrupt
// here: the job ends every process that could hold the other end.
type fileEnd struct{ *os.File }

func pipeToChild(bool) (pipe, error) {
	r, w, err := os.Pipe()
	return pipe{ours: &fileEnd{w}, childs: r}, err
}

func pipeFromChild(bool) (pipe, error) {
	r, w, err := os.Pipe()
	return pipe{ours: &fileEnd{r}, childs: w}, err
}

// Close does not wait: a write that is blocked keeps the pipe open until the
// child has ended, and ending the child begins with its stdin.
func (e *fileEnd) Close() error {
	go func() { _ = e.File.Close() }()
	return nil
}

func (e *fileEnd) release() {}
