package keychain

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"strings"
	"testing"
)

// reopened is the store as another process, or this one after a crash, has it.
func reopened(backend *fakeItems) *chunked { return newChunked("fake", backend) }

// lying makes the calls that match say yes and do nothing.
func lying(op string, about func(account string) bool) func(string, string) error {
	return func(o, account string) error {
		if o == op && about(account) {
			return errLie
		}
		return nil
	}
}

func TestKeychainThatLiesIsFoundOut(t *testing.T) {
	for name, about := range map[string]func(string) bool{
		"everything": func(string) bool { return true },
		"a chunk":    func(account string) bool { return strings.HasSuffix(account, "1") },
		"the header": func(account string) bool { return account == "key" },
	} {
		t.Run(name, func(t *testing.T) {
			backend := newFakeItems()
			backend.fault = lying("set", about)
			err := reopened(backend).Set(t.Context(), "key", NewSecret(noise(9000, 1)))
			wantKind(t, err, NotKept)
			wantAbsent(t, reopened(backend), "key")

			backend.fault = nil
			set(t, reopened(backend), "key", noise(9000, 2))
			backend.fault = lying("set", about)
			err = reopened(backend).Set(t.Context(), "key", NewSecret(noise(9000, 3)))
			wantKind(t, err, NotKept)
			wantValue(t, reopened(backend), "key", noise(9000, 2))
		})
	}
}

// A Set that fails while the keychain goes on leaves nothing of the new secret.
func TestFailedSetTakesItsChunksBack(t *testing.T) {
	backend := newFakeItems()
	set(t, reopened(backend), "key", noise(9000, 1))
	before := backend.snapshot()
	backend.fault = func(op, account string) error {
		if op == "set" && strings.HasSuffix(account, "2") {
			return &Error{Kind: Failed}
		}
		return nil
	}
	wantKind(t, reopened(backend).Set(t.Context(), "key", NewSecret(noise(9000, 2))), Failed)
	if !maps.Equal(before, backend.snapshot()) {
		t.Error("a failed Set changed what the keychain holds")
	}
	backend.fault = nil
}

func TestDeleteThatDeletesNothingIsFoundOut(t *testing.T) {
	for name, about := range map[string]func(string) bool{
		"everything": func(string) bool { return true },
		"a chunk":    func(account string) bool { return account == part("key", slotA, 0) },
		"the header": func(account string) bool { return account == "key" },
	} {
		t.Run(name, func(t *testing.T) {
			backend := newFakeItems()
			set(t, reopened(backend), "key", noise(9000, 1))
			backend.fault = lying("delete", about)
			wantKind(t, reopened(backend).Delete(t.Context(), "key"), NotKept)
			backend.fault = nil
		})
	}
}

// spoiled runs on a key whose items were tampered with: never a value, and a new
// Set mends it, and Delete leaves nothing.
func spoiled(t *testing.T, what string, backend *fakeItems) {
	t.Helper()
	before := backend.snapshot()
	got, err := reopened(backend).Get(t.Context(), "key")
	wantKind(t, err, Corrupt)
	noCanary(t, err, NewSecret(noise(9000, 1)))
	if !got.IsZero() {
		t.Errorf("%s: a damaged secret was handed out", what)
	}
	if err := reopened(backend).Set(t.Context(), "key", NewSecret("mended")); err != nil {
		t.Fatalf("%s: a new login does not mend it: %v", what, err)
	}
	wantValue(t, reopened(backend), "key", "mended")
	backend.texts = before
	if err := reopened(backend).Delete(t.Context(), "key"); err != nil {
		t.Fatalf("%s: it cannot be deleted: %v", what, err)
	}
	wantAbsent(t, reopened(backend), "key")
	backend.mustBeEmpty(t)
}

func TestLostChunkIsCorrupt(t *testing.T) {
	for i := range len(pack(noise(9000, 1))) {
		backend := newFakeItems()
		set(t, reopened(backend), "key", noise(9000, 1))
		delete(backend.texts, part("key", slotA, i))
		_, err := reopened(backend).Get(t.Context(), "key")
		if want := fmt.Sprintf("part %d of 4 is missing", i+1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
		spoiled(t, fmt.Sprintf("chunk %d lost", i), backend)
	}
}

func TestAlteredByteIsCorrupt(t *testing.T) {
	probe := newFakeItems()
	set(t, reopened(probe), "key", noise(300, 1))
	whole := probe.snapshot()
	for account, text := range whole {
		for i := range text {
			backend := newFakeItems()
			backend.texts = maps.Clone(whole)
			backend.texts[account] = text[:i] + string(text[i]^1) + text[i+1:]
			if _, err := reopened(backend).Get(t.Context(), "key"); !isKind(err, Corrupt) {
				t.Fatalf("byte %d of %s altered: %v", i, account, err)
			}
			if i == 0 || i == len(text)-1 {
				spoiled(t, fmt.Sprintf("byte %d of %s altered", i, account), backend)
			}
		}
	}
}

func TestSwappedChunksAreCorrupt(t *testing.T) {
	for _, swap := range [][2]string{
		{part("key", slotA, 0), part("other", slotA, 0)},
		{part("key", slotA, 2), part("other", slotA, 2)},
		{part("key", slotA, 0), part("key", slotA, 1)},
		{"key", "other"},
	} {
		backend := newFakeItems()
		set(t, reopened(backend), "key", noise(9000, 1))
		set(t, reopened(backend), "other", noise(9000, 2))
		a, b := swap[0], swap[1]
		backend.texts[a], backend.texts[b] = backend.texts[b], backend.texts[a]
		if err := reopened(backend).Delete(t.Context(), "other"); err != nil {
			t.Fatal(err)
		}
		spoiled(t, fmt.Sprint("swapped ", swap), backend)
	}
}

// An entry that is whole but belongs to another key is somebody else's.
func TestCopyOfAnotherKeyIsCorrupt(t *testing.T) {
	backend := newFakeItems()
	set(t, reopened(backend), "other", noise(9000, 1))
	for account, text := range backend.snapshot() {
		backend.texts[strings.Replace(account, "other", "key", 1)] = text
		delete(backend.texts, account)
	}
	spoiled(t, "copied", backend)
}

func TestForeignEntryIsCorrupt(t *testing.T) {
	whole := newFakeItems()
	set(t, reopened(whole), "key", "value")
	header := whole.texts["key"]
	for _, text := range []string{
		"", " ", "hunter2", "mcpauth", "mcpauth ", "mcpauth 1", "mcpauth 2 a 1 5 00", "{}", "\x00\xff", "ü",
		strings.Repeat("A", 1<<20), header + " ", " " + header, header + "\n", strings.ToUpper(header), "mcpauth 1 a 99999999999999999999 1 00",
	} {
		backend := newFakeItems()
		backend.texts["key"] = text
		spoiled(t, fmt.Sprintf("foreign %.40q", text), backend)
	}
}

// An item that go-keyring itself cannot read (macOS marks its encoding) is
// foreign too: a login must be able to write over it.
func TestUnreadableItemIsCorrupt(t *testing.T) {
	for _, account := range []string{"key", part("key", slotA, 1)} {
		backend := newFakeItems()
		set(t, reopened(backend), "key", noise(9000, 1))
		spoil := backend.texts[account]
		backend.fault = func(op, a string) error {
			backend.mu.Lock()
			defer backend.mu.Unlock()
			if op == "get" && a == account && backend.texts[a] == spoil {
				return explain(base64.CorruptInputError(3), "")
			}
			return nil
		}
		spoiled(t, account+" unreadable", backend)
	}
}

// A gzip bomb planted in the keychain unfolds to maxSecret bytes at most.
func TestGzipBombIsCorrupt(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = io.CopyN(w, zeros{}, 16<<20)
	_ = w.Close()
	text := base64.StdEncoding.EncodeToString(zipped.Bytes())
	backend := newFakeItems()
	h := header{slot: slotA, size: maxSecret, sum: digest("key", []string{text})}
	for ; len(text) > 0; h.count++ {
		cut := min(len(text), chunkSize)
		backend.texts[part("key", slotA, h.count)] = text[:cut]
		text = text[cut:]
	}
	backend.texts["key"] = h.String()
	if _, err := parseHeader(h.String()); err != nil {
		t.Fatalf("the bomb does not get as far as it should: %v", err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _ = reopened(backend).Get(t.Context(), "key")
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 8<<20 {
		t.Errorf("reading the bomb took %d bytes", allocated)
	}
	spoiled(t, "bomb", backend)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// duringRead runs what another process does just before this process's n-th read.
func duringRead(backend *fakeItems, n int, other func(*chunked)) {
	shadow := newFakeItems()
	shadow.texts = backend.texts
	backend.fault = func(op, _ string) error {
		if n--; n == -1 {
			backend.mu.Lock()
			defer backend.mu.Unlock()
			other(reopened(shadow))
		}
		return nil
	}
}

func TestReaderDuringAWriterInAnotherProcess(t *testing.T) {
	ctx := context.Background()
	put := func(seed uint64) func(*chunked) {
		return func(c *chunked) { _ = c.Set(ctx, "key", NewSecret(noise(6000, seed))) }
	}
	remove := func(c *chunked) { _ = c.Delete(ctx, "key") }
	for name, other := range map[string][]func(*chunked){
		"set":                  {put(2)},
		"set, set":             {put(2), put(3)},
		"set, set back":        {put(2), put(1)},
		"delete":               {remove},
		"delete, set the same": {remove, put(1)},
		"set, delete":          {put(2), remove},
	} {
		for n := range 8 {
			backend := newFakeItems()
			set(t, reopened(backend), "key", noise(6000, 1))
			duringRead(backend, n, func(c *chunked) {
				for _, act := range other {
					act(c)
				}
			})
			got, err := reopened(backend).Get(t.Context(), "key")
			if err != nil && !errors.Is(err, ErrNotFound) {
				t.Fatalf("%s before read %d: %v", name, n, err)
			}
			now, _ := newChunked("after", &fakeItems{texts: backend.texts}).Get(ctx, "key")
			if got.Reveal() != noise(6000, 1) && got != now {
				t.Errorf("%s before read %d: neither the old nor the new secret", name, n)
			}
		}
	}
}

func TestReaderGivesUpOnAnEntryThatNeverStandsStill(t *testing.T) {
	backend := newFakeItems()
	set(t, reopened(backend), "key", noise(6000, 1))
	shadow := newFakeItems()
	shadow.texts = backend.texts
	var seed uint64
	backend.fault = func(op, account string) error {
		if strings.HasSuffix(account, "1") {
			seed++
			set(t, reopened(shadow), "key", noise(6000, seed))
		}
		return nil
	}
	_, err := reopened(backend).Get(t.Context(), "key")
	wantKind(t, err, Corrupt)
	if seed != maxReads {
		t.Errorf("read %d times, want %d", seed, maxReads)
	}
	backend.fault = nil
}

// Errors of the keychain keep their kind through every operation: only
// ErrNotFound means absence, and a locked keychain is not written over.
func TestKindsPassThroughEveryOperation(t *testing.T) {
	for _, kind := range []Kind{Unavailable, Locked, Timeout, TooBig, Failed} {
		for n := range 12 {
			backend := newFakeItems()
			set(t, reopened(backend), "key", noise(6000, 1))
			for op, act := range map[string]func(*chunked) error{
				"get":    func(c *chunked) error { _, err := c.Get(t.Context(), "key"); return err },
				"set":    func(c *chunked) error { return c.Set(t.Context(), "key", NewSecret(noise(6000, 1))) },
				"delete": func(c *chunked) error { return c.Delete(t.Context(), "key") },
			} {
				left := n
				backend.fault = func(string, string) error {
					if left--; left < 0 {
						return &Error{Kind: kind}
					}
					return nil
				}
				err := act(reopened(backend))
				backend.fault = nil
				if left >= 0 || err == nil && op == "set" {
					continue // done before the fault, or with only the sweep to do
				}
				wantKind(t, err, kind)
			}
		}
	}
}
