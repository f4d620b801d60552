package broker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// server is the wrapped command: with --restart one process after the other.
type server struct {
	command backend.Command
	log     *logbook

	mu      sync.Mutex
	child   *backend.Process
	started time.Time
	tries   int  // of starting again, since a child last lived long
	stopped bool // no other child is wanted
}

const (
	maxRestarts  = 5
	firstBackOff = 200 * time.Millisecond // doubled with each try
	longLife     = time.Minute            // a child that lived so long begins the count anew
)

var (
	errStopped      = errors.New("the client is done with the server")
	errTooManyTries = errors.New("the server ends each time it is started")
)

// startServer starts the first child. The error is backend's.
func startServer(command backend.Command, log *logbook) (*server, error) {
	child, err := backend.Start(command)
	if err != nil {
		return nil, err
	}
	return &server{command: command, log: log, child: child, started: time.Now()}, nil
}

// current is the child that runs, or the last one that did.
func (s *server) current() *backend.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child
}

// stop ends the child, and no other is started.
func (s *server) stop() {
	s.mu.Lock()
	s.stopped = true
	child := s.child
	s.mu.Unlock()
	child.Stop()
}

// revive starts another child after a pause. It implements [relay.Config.Revive].
func (s *server) revive(ctx context.Context) (relay.Endpoint, error) {
	s.current().Close()
	pause, err := s.pause()
	if err != nil {
		return relay.Endpoint{}, err
	}
	s.log.say(serverName(s.command.Argv) + " " + s.current().Exit().String() + "; starting it again")
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return relay.Endpoint{}, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return relay.Endpoint{}, errStopped
	}
	child, err := backend.Start(s.command)
	if err != nil {
		s.log.say(AsProblem(err).Msg)
		return relay.Endpoint{}, err
	}
	s.child, s.started = child, time.Now()
	return endpoint(child), nil
}

// pause counts one more try and says how long to wait before it.
func (s *server) pause() (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.started) > longLife {
		s.tries = 0
	}
	s.tries++
	switch {
	case s.stopped:
		return 0, errStopped
	case s.tries > maxRestarts:
		return 0, errTooManyTries
	}
	return firstBackOff << (s.tries - 1), nil
}

func endpoint(child *backend.Process) relay.Endpoint {
	return relay.Endpoint{R: child.Out(), W: child.In()}
}
