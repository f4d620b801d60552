package keychain

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// noise returns size bytes of text that hardly compress, beginning with a
// canary where there is room for one.
func noise(size int, seed uint64) string {
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	raw := make([]byte, size)
	_, _ = source.Read(raw)
	text := base64.RawURLEncoding.EncodeToString(raw)[:size]
	if canary := fmt.Sprintf("CANARY-%d-", seed); len(canary) < size {
		text = canary + text[len(canary):]
	}
	return text
}

// conforms holds a store to the contract of Store. Keys begin with prefix, so
// that the suite can run on a keychain that others use.
func conforms(t *testing.T, s Store, prefix string) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Store, string){
		"absent":       conformsAbsent,
		"values":       conformsValues,
		"overwrite":    conformsOverwrite,
		"too big":      conformsTooBig,
		"delete":       conformsDelete,
		"keys":         conformsKeys,
		"concurrent":   conformsConcurrent,
		"context over": conformsContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, s, prefix+strings.ReplaceAll(name, " ", "")+"/") })
	}
}

func set(t *testing.T, s Store, key, value string) {
	t.Helper()
	t.Cleanup(func() { _ = s.Delete(context.Background(), key) })
	if err := s.Set(t.Context(), key, NewSecret(value)); err != nil {
		noCanary(t, err, NewSecret(value))
		t.Fatalf("set %.40q with %d bytes: %v", key, len(value), err)
	}
}

func wantValue(t *testing.T, s Store, key, want string) {
	t.Helper()
	got, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %.40q: %v", key, err)
	}
	if got.Reveal() != want {
		t.Errorf("key %.40q has another value: %d bytes, want %d", key, len(got.Reveal()), len(want))
	}
}

func wantAbsent(t *testing.T, s Store, key string) {
	t.Helper()
	got, err := s.Get(t.Context(), key)
	if err != ErrNotFound || !got.IsZero() {
		t.Fatalf("get %.40q gives %v, %v; want ErrNotFound and nothing more", key, got, err)
	}
}

func conformsAbsent(t *testing.T, s Store, prefix string) {
	wantAbsent(t, s, prefix+"nothing")
	if s.Name() == "" {
		t.Error("the store has no name for people")
	}
}

func conformsValues(t *testing.T, s Store, prefix string) {
	for name, value := range map[string]string{
		"empty":   "",
		"short":   "x",
		"bytes":   "\x00\xff\xfe\r\n\t '\"\\ %s ü",
		"10 KB":   noise(10<<10, 1),
		"100 KB":  noise(100<<10, 2),
		"zeros":   strings.Repeat("\x00", 200<<10),
		"largest": noise(maxSecret, 3),
	} {
		set(t, s, prefix+name, value)
		wantValue(t, s, prefix+name, value)
	}
}

func conformsOverwrite(t *testing.T, s Store, prefix string) {
	for i, size := range []int{10, 9000, 20, 30000, 30000, 0, 5} {
		value := noise(size, uint64(i))
		set(t, s, prefix+"key", value)
		wantValue(t, s, prefix+"key", value)
	}
}

func conformsTooBig(t *testing.T, s Store, prefix string) {
	set(t, s, prefix+"key", "the old one")
	giant := NewSecret(noise(maxSecret+1, 4))
	err := s.Set(t.Context(), prefix+"key", giant)
	wantKind(t, err, TooBig)
	noCanary(t, err, giant)
	wantValue(t, s, prefix+"key", "the old one")
}

func conformsDelete(t *testing.T, s Store, prefix string) {
	key := prefix + "key"
	if err := s.Delete(t.Context(), key); err != nil {
		t.Errorf("absence is an error of Delete: %v", err)
	}
	set(t, s, key, noise(9000, 5))
	for range 2 {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		wantAbsent(t, s, key)
	}
	set(t, s, key, "again")
	wantValue(t, s, key, "again")
}

// conformsKeys: no two keys mix, whatever they are made of.
func conformsKeys(t *testing.T, s Store, prefix string) {
	keys := []string{
		"", "x", "X", "x,a0", "x,b0", "x%2Ca0", "x/", "x ", " x", "x'", `x"`, "x\n", "x\x00", "-x", "ü",
		"work/https://example.okta.com/oauth2/default/token",
		strings.Repeat("k", 300), strings.Repeat("k", 301), strings.Repeat("K", 300),
	}
	for i, key := range keys {
		set(t, s, prefix+key, noise(3000+i, uint64(i)))
	}
	for i, key := range keys {
		wantValue(t, s, prefix+key, noise(3000+i, uint64(i)))
	}
	if err := s.Delete(t.Context(), prefix+"x"); err != nil {
		t.Fatal(err)
	}
	wantAbsent(t, s, prefix+"x")
	wantValue(t, s, prefix+"X", noise(3002, 2))
	wantValue(t, s, prefix+"x,a0", noise(3003, 3))
}

// conformsConcurrent: with one store, readers see whole values while writers
// of the same process replace them.
func conformsConcurrent(t *testing.T, s Store, prefix string) {
	key := prefix + "key"
	values := map[string]bool{}
	for i := range 4 {
		values[noise(4000*i+8, uint64(i))] = true
	}
	set(t, s, key, noise(8, 0))
	var writers, reader sync.WaitGroup
	done := make(chan struct{})
	for value := range values {
		writers.Go(func() {
			for range 3 {
				if err := s.Set(t.Context(), key, NewSecret(value)); err != nil {
					t.Errorf("set: %v", err)
				}
			}
		})
	}
	reader.Go(func() {
		for {
			got, err := s.Get(t.Context(), key)
			if err != nil || !values[got.Reveal()] {
				t.Errorf("a reader got %d bytes nobody wrote, %v", len(got.Reveal()), err)
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	writers.Wait()
	close(done)
	reader.Wait()
}

func conformsContext(t *testing.T, s Store, prefix string) {
	set(t, s, prefix+"key", "kept")
	why := errors.New("the client went away")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	_, err := s.Get(ctx, prefix+"key")
	for op, err := range map[string]error{
		"get":    err,
		"set":    s.Set(ctx, prefix+"key", NewSecret("CANARY")),
		"delete": s.Delete(ctx, prefix+"key"),
	} {
		wantKind(t, err, Timeout)
		if !errors.Is(err, why) {
			t.Errorf("%s does not tell why its context ended: %v", op, err)
		}
		var failure *Error
		if errors.As(err, &failure); failure.Op != op {
			t.Errorf("Op is %q, want %q", failure.Op, op)
		}
	}
	wantValue(t, s, prefix+"key", "kept")
}

func TestMemoryConforms(t *testing.T) { conforms(t, Memory(), "") }

func TestChunkedConformsOnEveryPlatform(t *testing.T) {
	for name, limit := range map[string]func(account, text string) error{
		"macOS": macCap, "Windows": windowsCap, "none": nil,
	} {
		t.Run(name, func(t *testing.T) {
			backend := newFakeItems()
			backend.cap = limit
			conforms(t, newChunked(name, newBounded(backend, time.Minute)), "")
			backend.mustBeEmpty(t)
		})
	}
}
