package backend

import "os"

// A pipe is one of the child's three: our end and the end that the child gets.
type pipe struct {
	ours   *end
	childs *os.File
}

type stdio struct{ stdin, stdout, stderr pipe }

func newStdio() (*stdio, error) {
	s := &stdio{}
	for _, wanted := range []struct {
		pipe *pipe
		make func() (pipe, error)
	}{{&s.stdin, pipeToChild}, {&s.stdout, pipeFromChild}, {&s.stderr, pipeFromChild}} {
		made, err := wanted.make()
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
