package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// table is what was measured in one place.
type table struct {
	cpus       string
	targets    []*target
	rounds     [][]values // of each round the targets
	discarded  int        // rounds, because others were busy
	disturbed  bool       // the machine was never quiet enough: all rounds count
	faults     []faults   // of each target
	shortfalls []string   // calls without user or record
}

func (t table) correct() bool {
	for _, f := range t.faults {
		if f != (faults{}) {
			return false
		}
	}
	return len(t.shortfalls) == 0
}

// attempts bounds how often a round is measured until it counts.
const attempts = 3

// measure runs the rounds.
func measure(ctx context.Context, o options, targets []*target, cpus string) (table, error) {
	t := table{cpus: cpus, targets: targets, faults: make([]faults, len(targets))}
	var noisy [][]values
	for n := 0; len(t.rounds) < o.rounds && n < attempts*o.rounds; n++ {
		awaitQuiet(ctx, o)
		load := newLoadMeter()
		round, err := t.round(ctx, o, n)
		if err != nil {
			return t, err
		}
		if foreign := load.foreign(); foreign > o.foreign {
			fmt.Fprintf(os.Stderr, "relaybench: others used %.1f cores: the round does not count\n", foreign)
			noisy = append(noisy, round)
			continue
		}
		t.rounds = append(t.rounds, round)
	}
	t.discarded = len(noisy)
	if len(t.rounds) == 0 {
		t.rounds, t.disturbed = noisy, true
	}
	return t, nil
}

// quiet is how many cores others may use when a round begins.
const quiet = 0.2

func awaitQuiet(ctx context.Context, o options) {
	for deadline := time.Now().Add(o.patience); time.Now().Before(deadline) && ctx.Err() == nil; {
		load := newLoadMeter()
		time.Sleep(300 * time.Millisecond)
		if load.foreign() < quiet {
			return
		}
	}
}

// round measures each target once. All run at the same time, idle but for the
// one whose turn it is, so that what is compared is moments apart.
func (t *table) round(ctx context.Context, o options, number int) ([]values, error) {
	tallies := make([]tally, len(t.targets))
	sessions := make([]*session, len(t.targets))
	defer func() {
		for _, s := range sessions {
			if s != nil {
				_ = s.failed(ctx.Err()) // only those that were not stopped
			}
		}
	}()
	for i, target := range t.targets {
		if err := os.RemoveAll(target.auditDir()); target.proxy && err != nil {
			return nil, err
		}
		s, _, err := target.start()
		if err != nil {
			return nil, err
		}
		sessions[i] = s
		if err := t.settle(s, &tallies[i]); err != nil {
			return nil, err
		}
	}
	for _, step := range steps {
		if o.step != "" && o.step != step.name {
			continue
		}
		for turn := range passes * len(sessions) {
			i := (turn + turn/len(sessions) + number) % len(sessions)
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := sessions[i].take(step, o.amounts(), &tallies[i]); err != nil {
				return nil, err
			}
		}
	}
	result := make([]values, len(sessions))
	for i, s := range sessions {
		sessions[i] = nil
		if err := t.finish(s, i, &tallies[i]); err != nil {
			return nil, err
		}
		result[i] = tallies[i].values()
	}
	return result, nil
}

// settle brings a new session to where its time counts.
func (t *table) settle(s *session, into *tally) error {
	if err := s.lists(amounts{lists: 1}, &tally{}); err != nil {
		return s.failed(err)
	}
	if err := s.truth(); err != nil {
		return err
	}
	s.observe()
	into.memoryAtFirst = s.memory()
	return nil
}

// finish ends a session and sees whether the target did its job.
func (t *table) finish(s *session, i int, into *tally) error {
	into.memoryAtEnd = s.memory()
	shortfall, err := s.didItsJob()
	if err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	t.faults[i].add(s.faults)
	if shortfall != "" {
		t.shortfalls = append(t.shortfalls, shortfall)
	}
	if !s.proxy {
		return nil
	}
	calls, results, err := s.recorded()
	if err == nil && (calls != s.calls || results != s.calls) {
		t.shortfalls = append(t.shortfalls,
			fmt.Sprintf("%s: of %d calls %d are on record, and %d results", s.name, s.calls, calls, results))
	}
	return err
}
