package backend

import (
	"io"
	"os"
)

// An end is our end of a pipe to or from the child.
type end interface {
	io.ReadWriteCloser
	// release ends all waiting, for now and ever: a Read takes what is there and then
	// reports io.EOF.
	release()
}

// A pipe is one of the child's three: our end and the end that the child gets.
type pipe struct {
	ours   end
	childs *os.File
}

type stdio struct{ stdin, stdout, stderr pipe }

func newStdio(polled bool) (*stdio, error) {
	s := &stdio{}
	for _, wanted := range []struct {
		pipe *pipe
		make func(polled bool) (pipe, error)
	}{{&s.stdin, pipeToChild}, {&s.stdout, pipeFromChild}, {&s.stderr, pipeFromChild}} {
		made, err := wanted.make(polled)
		if err != nil {
			s.closeOurEnds()
			s.closeChildEnds()
			return nil, err
		}
		*wanted.pipe = made
	}
	return s, nil
}

func (s *stdio) closeOurEnds() {
	for _, p := range []pipe{s.stdin, s.stdout, s.stderr} {
		if p.ours != nil {
			p.ours.Close()
		}
	}
}

func (s *stdio) closeChildEnds() {
	for _, p := range []pipe{s.stdin, s.stdout, s.stderr} {
		if p.childs != nil {
			p.childs.Close()
		}
	}
}
