package keychain

import (
	"errors"
	"testing"
)

// size pairs with more, fewer and as many chunks in the new secret.
var sizes = [][2]int{{5, 6000}, {6000, 5}, {6000, 6000}, {0, 0}}

// writesUntil lets n writes through and then fails each call as failure.
func writesUntil(n int, failure error) func(op, account string) error {
	var crashed bool
	return func(op, _ string) error {
		if crashed {
			return errCrash
		}
		if op == "get" {
			return nil
		}
		if n--; n >= 0 {
			return nil
		}
		crashed = true
		return failure
	}
}

// crashEverywhere runs change with a crash after each number of writes, on a
// key that has a value and leftovers of an earlier crash in its other slot.
func crashEverywhere(t *testing.T, failure error, sizes [2]int, change func(*chunked) error, check func(n int, backend *fakeItems, err error)) {
	t.Helper()
	for n := 0; ; n++ {
		backend := newFakeItems()
		set(t, reopened(backend), "key", noise(12000, 7))
		set(t, reopened(backend), "key", noise(sizes[0], 1))
		for i := range 5 {
			backend.texts[part("key", slotA, i)] = "leftover"
		}
		backend.fault = writesUntil(n, failure)
		err := change(reopened(backend))
		crashed := backend.fault("get", "") != nil
		backend.fault = nil
		noCanary(t, err, NewSecret(noise(sizes[0], 1)), NewSecret(noise(sizes[1], 2)))
		check(n, backend, err)

		// Whatever the crash left, the next writer mends it and Delete finds all.
		set(t, reopened(backend), "key", "mended")
		wantValue(t, reopened(backend), "key", "mended")
		if items := len(backend.snapshot()); items != 2 {
			t.Errorf("crash after %d writes: %d items for a small secret, want a header and a chunk", n, items)
		}
		if err := reopened(backend).Delete(t.Context(), "key"); err != nil {
			t.Error(err)
		}
		backend.mustBeEmpty(t)
		if !crashed {
			if n < 3 {
				t.Errorf("only %d writes: the crash test tests nothing", n)
			}
			return
		}
	}
}

func TestCrashDuringSetLeavesTheOldOrTheNewSecret(t *testing.T) {
	for _, failure := range []error{errCrash, errLate} {
		for _, sizes := range sizes {
			change := func(c *chunked) error { return c.Set(t.Context(), "key", NewSecret(noise(sizes[1], 2))) }
			crashEverywhere(t, failure, sizes, change, func(n int, backend *fakeItems, setErr error) {
				got, err := reopened(backend).Get(t.Context(), "key")
				if err != nil {
					t.Fatalf("%v, crash after %d writes: the secret cannot be read: %v", sizes, n, err)
				}
				is := map[string]string{noise(sizes[0], 1): "old", noise(sizes[1], 2): "new"}[got.Reveal()]
				if is == "" || setErr == nil && got.Reveal() != noise(sizes[1], 2) {
					t.Errorf("%v, crash after %d writes: Set says %v and the secret is the %q one", sizes, n, setErr, is)
				}
			})
		}
	}
}

func TestCrashDuringDeleteLeavesTheSecretOrNothing(t *testing.T) {
	for _, failure := range []error{errCrash, errLate} {
		change := func(c *chunked) error { return c.Delete(t.Context(), "key") }
		crashEverywhere(t, failure, [2]int{6000, 0}, change, func(n int, backend *fakeItems, deleteErr error) {
			got, err := reopened(backend).Get(t.Context(), "key")
			whole := err == nil && got.Reveal() == noise(6000, 1)
			if !whole && !errors.Is(err, ErrNotFound) {
				t.Errorf("crash after %d writes: %d bytes, %v", n, len(got.Reveal()), err)
			}
			if deleteErr == nil && len(backend.snapshot()) != 0 {
				t.Errorf("crash after %d writes: Delete says done and left items", n)
			}
		})
	}
}

// A crash right after the header has gone leaves chunks that no header names.
func TestDeleteFindsChunksWithoutHeader(t *testing.T) {
	backend := newFakeItems()
	set(t, reopened(backend), "key", noise(9000, 1))
	delete(backend.texts, "key")
	wantAbsent(t, reopened(backend), "key")
	if err := reopened(backend).Delete(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	backend.mustBeEmpty(t)
}
