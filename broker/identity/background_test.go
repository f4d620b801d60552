package identity

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

func TestBackground(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{})
	another := w.machine(t, w.accounts.stateDir)
	if report, err := another.AwaitBackground(t.Context(), w.client); report != nil || err != nil {
		t.Errorf("before: %q, %v", report, err)
	}
	end, ok, err := w.accounts.BeginBackground(w.client, []byte("killed"))
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, ok, err := another.BeginBackground(w.client, nil); ok || err != nil {
		t.Errorf("a second one: %v, %v", ok, err)
	}
	hurried, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := another.AwaitBackground(hurried, w.client); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while it goes on: %v", err)
	}
	if err := end([]byte("done")); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"done", ""} { // it is told once
		if report, err := another.AwaitBackground(t.Context(), w.client); string(report) != want || err != nil {
			t.Errorf("%q, %v, want %q", report, err, want)
		}
	}
}
