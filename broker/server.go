package broker

import (
	"context"
	"errors"
	"fmt"
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

// A server is what a proxy stands in front of, behind whatever carries its messages: now
// a process, with --restart one after the other.
type server interface {
	// ends are where the messages of the server go to and come from.
	ends() relay.Endpoint
	// revive replaces a server that has ended. It implements [relay.Config.Revive].
	revive(ctx context.Context) (relay.Endpoint, error)
	// ended reports whether the server has ended for good or for now.
	ended() bool
	// exitReason says why the server gives no more answers. It may wait a moment to find out.
	exitReason() string
	// stop lets the server end by itself, and terminate makes it; neither is revived.
	stop()
	terminate()
	// finish ends what is left of the server. code is its exit status, and killed is
	// whether it did not end by itself.
	finish() (code int, killed bool)
}

// processServer is a server that is a command.
type processServer struct {
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
func startServer(command backend.Command, log *logbook) (server, error) {
	child, err := backend.Start(command)
	if err != nil {
		return nil, err
	}
	return &processServer{command: command, log: log, child: child, started: time.Now()}, nil
}

// current is the child that runs, or the last one that did.
func (s *processServer) current() *backend.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child
}

func (s *processServer) ends() relay.Endpoint { return ends(s.current()) }

func ends(child *backend.Process) relay.Endpoint {
	return relay.Endpoint{R: child.Out(), W: child.In()}
}

// stop closes the child's stdin.
func (s *processServer) stop() { s.last().Stop() }

// terminate sends SIGTERM, also where stop waits.
func (s *processServer) terminate() { s.last().Terminate() }

// last is the child after which no other is started.
func (s *processServer) last() *backend.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	return s.child
}

func (s *processServer) finish() (code int, killed bool) {
	s.clear()
	exit := s.current().Exit()
	return exit.Code, exit.Signal != nil || exit.Code < 0 // or not seen to end in time
}

func (s *processServer) ended() bool {
	select {
	case <-s.current().Done():
		return true
	default:
		return false
	}
}

// exitPatience bounds the wait for the exit of a child that has closed its output.
const exitPatience = 300 * time.Millisecond

func (s *processServer) exitReason() string {
	child, name := s.current(), text.ServerName(s.command.Argv)
	select {
	case <-child.Done():
	case <-time.After(exitPatience):
		return "mcpauth: " + name + " closed its output before it answered"
	}
	reason := fmt.Sprintf("mcpauth: %s ended before it answered (%s)", name, child.Exit())
	if words := child.LastLines(); words != "" {
		reason += ": " + words
	}
	return reason
}

// clear ends a child that may have closed its output.
func (s *processServer) clear() {
	child := s.current()
	defer time.AfterFunc(closedGrace, child.Terminate).Stop()
	child.Stop()
}

// revive starts another child after a pause.
func (s *processServer) revive(ctx context.Context) (relay.Endpoint, error) {
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
	return ends(child), nil
}

// pause counts one more try and says how long to wait before it.
func (s *processServer) pause() (time.Duration, error) {
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
