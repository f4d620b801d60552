package keychain

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const testTimeout = 3 * time.Second

// silence makes calls hang until it is closed.
func silence(backend *fakeItems) (speak func(), started func() int) {
	gate := make(chan struct{})
	var mu sync.Mutex
	var calls int
	backend.fault = func(string, string) error {
		mu.Lock()
		calls++
		mu.Unlock()
		<-gate
		return nil
	}
	return func() { close(gate) }, func() int { mu.Lock(); defer mu.Unlock(); return calls }
}

func TestHangingKeychainCostsOneGoroutineAndOneTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := newFakeItems()
		s := newChunked("fake", newBounded(backend, testTimeout))
		speak, started := silence(backend)

		begin := time.Now()
		_, err := s.Get(t.Context(), "key")
		wantKind(t, err, Timeout)
		if took := time.Since(begin); took != testTimeout {
			t.Errorf("the first caller waited %v, want %v", took, testTimeout)
		}
		begin = time.Now()
		for range 20 {
			_, err := s.Get(t.Context(), "key")
			wantKind(t, err, Timeout)
			if !strings.Contains(err.Error(), "still hangs") {
				t.Errorf("the error does not say that an earlier call hangs: %v", err)
			}
			wantKind(t, s.Set(t.Context(), "key", NewSecret("v")), Timeout)
			wantKind(t, s.Delete(t.Context(), "key"), Timeout)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("later callers waited %v: they do not fail fast", took)
		}
		if started() != 1 {
			t.Errorf("%d calls hang, want one", started())
		}

		speak()
		synctest.Wait()
		set(t, s, "key", "it speaks again")
		wantValue(t, s, "key", "it speaks again")
	})
}

// 20 callers at once on a silent keychain all get their answer in one timeout.
func TestHangingKeychainHoldsNobodyInAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := newFakeItems()
		s := newChunked("fake", newBounded(backend, testTimeout))
		speak, started := silence(backend)
		begin := time.Now()
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				if _, err := s.Get(t.Context(), "key"); !isKind(err, Timeout) {
					t.Errorf("got %v", err)
				}
			})
		}
		callers.Wait()
		if took := time.Since(begin); took != testTimeout || started() != 1 {
			t.Errorf("20 callers took %v and %d calls, want %v and 1", took, started(), testTimeout)
		}
		speak()
	})
}

// Who waits is served before who comes again: a proxy that reads all the time
// must not keep a refresh from storing its tokens.
func TestBusyReaderDoesNotKeepAWriterOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := newFakeItems()
		var order []string
		backend.fault = func(op, _ string) error {
			order = append(order, op)
			time.Sleep(time.Millisecond)
			return nil
		}
		b := newBounded(backend, testTimeout)
		var both sync.WaitGroup
		both.Go(func() {
			for range 20 {
				_, _ = b.get(t.Context(), "key")
			}
		})
		synctest.Wait() // the reader's first call runs
		both.Go(func() { _ = b.set(t.Context(), "key", "text") })
		both.Wait()
		if order[1] != "set" {
			t.Errorf("the writer had to wait for more than the call before it: %v", order)
		}
	})
}

func TestSlowKeychainIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := newFakeItems()
		backend.fault = func(string, string) error { time.Sleep(testTimeout - time.Millisecond); return nil }
		s := newChunked("fake", newBounded(backend, testTimeout))
		var callers sync.WaitGroup
		for range 5 {
			callers.Go(func() {
				if _, err := s.Get(t.Context(), "key"); err != ErrNotFound {
					t.Errorf("a keychain that answers in time: %v", err)
				}
			})
		}
		callers.Wait()
		set(t, s, "key", noise(9000, 1))
		wantValue(t, s, "key", noise(9000, 1))
	})
}

// A cancelled request must not make a healthy keychain look silent.
func TestCallerThatLeavesDoesNotSpoilItForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := newFakeItems()
		s := newChunked("fake", newBounded(backend, testTimeout))
		set(t, s, "key", "value")
		backend.fault = func(string, string) error { time.Sleep(time.Second); return nil }
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, err := s.Get(ctx, "key")
		wantKind(t, err, Timeout)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Millisecond {
			t.Errorf("the caller left after %v with %v", time.Since(begin), err)
		}
		wantValue(t, s, "key", "value")
	})
}

func TestContextEndsTheWaitForAnotherWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := newFakeItems()
		s := newChunked("fake", newBounded(backend, time.Minute))
		backend.fault = func(string, string) error { time.Sleep(time.Second); return nil }
		go func() { _ = s.Set(context.Background(), "key", NewSecret("first")) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		begin := time.Now()
		wantKind(t, s.Set(ctx, "key", NewSecret("second")), Timeout)
		if took := time.Since(begin); took != time.Millisecond {
			t.Errorf("waited %v for the other writer", took)
		}
		time.Sleep(time.Minute)
		wantValue(t, s, "key", "first")
	})
}

func TestPanicInTheLibraryIsAnError(t *testing.T) {
	backend := newFakeItems()
	s := newChunked("fake", newBounded(backend, testTimeout))
	secret := NewSecret(noise(5000, 1))
	backend.fault = func(op, _ string) error {
		if op == "set" {
			panic(pack(secret.Reveal())[0])
		}
		return nil
	}
	err := s.Set(t.Context(), "key", secret)
	wantKind(t, err, Failed)
	noCanary(t, err, secret)
	backend.fault = nil
	set(t, s, "key", "value")
}
