package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/mcpauth/mcpauth/.ci/relaybench/blockingpipe"
)

// target is a way to the server.
type target struct {
	name  string
	argv  []string
	env   []string
	echo  string // program of the server
	proxy bool   // mcpauth, which has a job to do
	home  string
	user  []byte // what each call must carry
}

// session is a running target, and its client.
type session struct {
	*target
	*conn
	command *exec.Cmd
	family  []int
	talk    *os.File // its stderr
	guard   *time.Timer
	calls   int // tools/call that were sent
	nextID  int
	faults  faults
	text    []byte // scratch
}

// faults are what a relay must never do. All must be 0.
type faults struct {
	Lost      int `json:"lost"`
	Reordered int `json:"reordered"`
	Altered   int `json:"altered"`
}

func (f *faults) add(other faults) {
	f.Lost += other.Lost
	f.Reordered += other.Reordered
	f.Altered += other.Altered
}

// patience bounds one step of a session: a target that hangs is killed then.
const patience = 60 * time.Second

const hello = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",` +
	`"capabilities":{"sampling":{}},"clientInfo":{"name":"relaybench","version":"1"}}}` + "\n"

const helloDone = `{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"

// start runs a target up to the answer of initialize. took is the time from
// just before the fork to that answer.
func (t *target) start() (s *session, took time.Duration, err error) {
	childIn, toChild, err := blockingpipe.New()
	if err != nil {
		return nil, 0, err
	}
	fromChild, childOut, err := blockingpipe.New()
	if err != nil {
		return nil, 0, err
	}
	talk, err := os.CreateTemp("", "relaybench-stderr-")
	if err != nil {
		return nil, 0, err
	}
	_ = os.Remove(talk.Name()) // the descriptor is enough, where the system agrees
	command := &exec.Cmd{Path: t.argv[0], Args: t.argv, Env: t.env, Stdin: childIn, Stdout: childOut, Stderr: talk}
	began := time.Now()
	if err := command.Start(); err != nil {
		return nil, 0, err
	}
	childIn.Close()
	childOut.Close()
	s = &session{target: t, conn: newConn(toChild, fromChild), command: command, talk: talk, nextID: 1}
	s.guard = time.AfterFunc(patience, func() { _ = command.Process.Kill() })
	answer, err := s.ask([]byte(hello))
	took = time.Since(began)
	if err == nil && !bytes.HasPrefix(answer, []byte(`{"jsonrpc":"2.0","id":0,"result":`)) {
		err = fmt.Errorf("initialize was answered with %.200s", answer)
	}
	if err == nil {
		err = s.write([]byte(helloDone))
	}
	if err != nil {
		return nil, 0, s.failed(err)
	}
	return s, took, nil
}

// still gives the session time for its next step.
func (s *session) still() { s.guard.Reset(patience) }

// stop closes the target's input and waits for its end.
func (s *session) stop() error {
	s.still()
	s.conn.close()
	err := s.command.Wait()
	s.guard.Stop()
	if err != nil {
		return s.failed(err)
	}
	return s.talk.Close()
}

// failed ends the session and says why it cannot go on.
func (s *session) failed(err error) error {
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
	s.guard.Stop()
	s.conn.close()
	said := make([]byte, 2000)
	n, _ := s.talk.ReadAt(said, 0)
	_ = s.talk.Close()
	return fmt.Errorf("%s: %w\n%s", s.name, err, said[:n])
}

// observe finds the processes that are the target's own, its guard included.
func (s *session) observe() { s.family = family(s.command.Process.Pid, s.echo) }

// memory is 0 for "direct", where there is nothing but the server.
func (s *session) memory() float64 { return peakMemory(s.family) }

// recorded counts the calls and their results in the audit log of a proxy.
func (t *target) recorded() (calls, results int, err error) {
	files, err := filepath.Glob(filepath.Join(t.auditDir(), "*.jsonl"))
	if err != nil {
		return 0, 0, err
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, 0, err
		}
		calls += bytes.Count(text, []byte(`"event":"call"`))
		results += bytes.Count(text, []byte(`"event":"result"`))
	}
	return calls, results, nil
}

func (t *target) auditDir() string {
	return filepath.Join(t.home, ".local", "state", "mcpauth", "audit")
}
