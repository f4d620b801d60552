package identity

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// inMemory is what machines without a common folder share, as by a server.
type inMemory struct {
	lock chan struct{}

	mu             sync.Mutex
	watches        []*sharedfile.Watch
	bumps          int
	paused, usedAt time.Time
}

func (m *inMemory) Lock(ctx context.Context) (func(), error) {
	select {
	case m.lock <- struct{}{}:
		return func() { <-m.lock }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *inMemory) TryLock() (func(), bool, error) {
	select {
	case m.lock <- struct{}{}:
		return func() { <-m.lock }, true, nil
	default:
		return nil, false, nil
	}
}

func (m *inMemory) Generation() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strconv.Itoa(m.bumps)
}

func (m *inMemory) Watch(<-chan struct{}) *sharedfile.Watch {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := sharedfile.NewWatch()
	m.watches = append(m.watches, w)
	return w
}

func (m *inMemory) Bump() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bumps++
	for _, w := range m.watches {
		w.Nudge()
	}
	return nil
}

func (m *inMemory) at(which *time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return *which
}

func (m *inMemory) set(which *time.Time, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*which = at
}

func (m *inMemory) PausedUntil() time.Time { return m.at(&m.paused) }
func (m *inMemory) Pause(until time.Time)  { m.set(&m.paused, until) }
func (m *inMemory) LastUse() time.Time     { return m.at(&m.usedAt) }
func (m *inMemory) Use(at time.Time)       { m.set(&m.usedAt, at) }

// Machines that share a store, and what goes with it by something else than a folder,
// are as one.
func TestMachinesWithoutACommonFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{AutoApprove: true, AccessLifetime: time.Hour})
	w.client.IdleLimit = 10 * time.Hour
	common := &inMemory{lock: make(chan struct{}, 1)}
	machines := make([]*Accounts, 4)
	for i := range machines {
		machines[i] = w.machine(t, t.TempDir())
		machines[i].shared = func(string) Shared { return common }
	}
	w.accounts = machines[0]
	running := w.running(t, machines[1])
	w.signedIn(t)
	eventually(t, "the sign-in on another machine", func() bool { return running.Snapshot().State == SignedIn })
	w.clock.advance(59 * time.Minute)
	var all sync.WaitGroup
	for _, machine := range machines {
		all.Go(func() {
			if _, err := machine.Access(t.Context(), w.client, 5*time.Minute); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.idp.Count("refresh_token"); n != 1 || common.LastUse().IsZero() {
		t.Errorf("%d refreshes, last use %s", n, common.LastUse())
	}
	if _, err := machines[2].Logout(t.Context(), w.client, LogoutOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the logout on another machine", func() bool { return running.Snapshot().State == SignedOut })
}
