package broker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/broker/text"
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
	longLife     = time.Minute            // a child that lived so long resets the count

	// closedGrace is how long a child that has closed its output may live on: it is of
	// no use any more, and the client waits for our end, or for the next one.
	closedGrace = time.Second
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

// stop ends the child by closing its stdin, and no other is started.
func (s *server) stop() { s.last().Stop() }

// terminate ends the child by SIGTERM, also where stop waits for it.
func (s *server) terminate() { s.last().Terminate() }

// last is the child after which no other is started.
func (s *server) last() *backend.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	return s.child
}

// clear ends a child that may have closed its output.
func (s *server) clear() {
	child := s.current()
	defer time.AfterFunc(closedGrace, child.Terminate).Stop()
	child.Stop()
}

// revive starts another child after a pause. It implements [relay.Config.Revive].
func (s *server) revive(ctx context.Context) (relay.Endpoint, error) {
	s.clear()
	s.current().Close()
	pause, err := s.pause()
	if err != nil {
		return relay.Endpoint{}, err
	}
	s.log.say(text.ServerName(s.command.Argv) + " " + s.current().Exit().String() + "; starting it again")
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
		s.log.say(problem.Of(err).Msg)
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

// serverEnviron is the environment of a server: ours without what is mcpauth's own.
// OKTA_CLIENT_SECRET is that only where a profile took it.
func serverEnviron(environ []string, r config.Resolved, log *logbook) []string {
	env := backend.Environ(environ, nil)
	if r.Secret.IsZero() {
		return env
	}
	log.say("the server does not get OKTA_CLIENT_SECRET: it is the secret of profile " + r.Name + "; `mcpauth login` moves it to the keychain")
	return slices.DeleteFunc(env, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return strings.EqualFold(name, "OKTA_CLIENT_SECRET")
	})
}
