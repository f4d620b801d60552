package gate

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// limiterIn is a limiter of the profile orders.
func limiterIn(stateDir string) *limiter {
	return &limiter{stateDir: stateDir}
}

// limitedCall is a call that is counted.
func limitedCall(p *policy.Policy, sub, tool string, at time.Time) LimitedCall {
	return LimitedCall{Profile: "orders", Server: "main.py", Sub: sub, Tool: tool, Limits: p.Limits(tool), Time: at, Count: true}
}

// taking takes from a limiter, and fails the test where that cannot be counted.
func taking(t testing.TB, l *limiter, p *policy.Policy, sub, tool string, at time.Duration) time.Duration {
	t.Helper()
	wait, _, err := l.Ask(limitedCall(p, sub, tool, noon.Add(at)))
	if err != nil {
		t.Fatal(err)
	}
	return wait.Round(time.Millisecond)
}

func TestLimits(t *testing.T) {
	p := policyOf(t, "[[limits]]\ntools=['search_*']\nrate='2/minute'\n[[limits]]\nrate='3/minute'\nshared=true\n")
	l := limiterIn(t.TempDir())
	for i, step := range []struct {
		sub, tool string
		at, wait  time.Duration
	}{
		{"ada", "search_a", 0, 0},
		{"ada", "search_a", 0, 0},
		{"ada", "search_a", 0, 30 * time.Second}, // its own allowance is used up
		{"ada", "SEARCH_A", 0, 30 * time.Second}, // which another spelling does not get around
		{"ada", "get", 0, 0},
		{"ada", "get", 0, 20 * time.Second}, // the allowance of all tools is used up
		{"grace", "get", 0, 0},              // another user has her own
		{"ada", "get", 20 * time.Second, 0},
		{"ada", "search_a", 30 * time.Second, 10 * time.Second}, // a refusal counts nowhere
		{"ada", "search_a", 40 * time.Second, 0},
	} {
		if wait := taking(t, l, p, step.sub, step.tool, step.at); wait != step.wait {
			t.Errorf("step %d: wait %s, want %s", i, wait, step.wait)
		}
	}
	p = policyOf(t, "[[limits]]\ntools=['search_*']\nrate='2/minute'\n[[limits]]\nrate='3/minute'\nshared=true\n[[rules]]\neffect='allow'")
	if taking(t, l, p, "ada", "get", 40*time.Second) == 0 {
		t.Error("a reload gives a new allowance")
	}
}

// An allowance is one for all proxies of a profile, and outlives them.
func TestLimitsOfAllProxies(t *testing.T) {
	p := policyOf(t, "[[limits]]\nrate='4/minute'\n[[limits]]\ntools=['all']\nrate='2/day'\nshared=true\n")
	dir := t.TempDir()
	first, second := limiterIn(dir), limiterIn(dir)
	for i, step := range []struct {
		by              *limiter
		profile, server string
		tool            string
		at              time.Duration
		wait            time.Duration
	}{
		{first, "orders", "main.py", "get", 0, 0}, {second, "orders", "main.py", "get", 0, 0},
		{first, "orders", "main.py", "get", 0, 0}, {limiterIn(dir), "orders", "main.py", "get", 0, 0},
		{second, "orders", "main.py", "get", 0, 15 * time.Second},
		{first, "others", "main.py", "get", 0, 0},   // another profile
		{second, "orders", "other.py", "get", 0, 0}, // a tool of the same name of another server
		{second, "orders", "main.py", "get", 15 * time.Second, 0},
		{first, "orders", "main.py", "get", 15 * time.Second, 15 * time.Second},
		{first, "orders", "main.py", "all", 0, 0}, {first, "orders", "other.py", "all", 0, 0}, // what is shared is shared by servers, too
		{second, "orders", "main.py", "all", 0, 12 * time.Hour},
		{first, "orders", "main.py", "get", -time.Hour, time.Minute / 4}, // the clock was set back: no wait of an hour
	} {
		call := limitedCall(p, "ada", step.tool, noon.Add(step.at))
		call.Profile, call.Server = step.profile, step.server
		if wait, _, err := step.by.Ask(call); err != nil || wait.Round(time.Millisecond) != step.wait {
			t.Errorf("step %d: wait %s, want %s (%v)", i, wait, step.wait, err)
		}
	}
}

// Twenty proxies at once get what one would.
func TestLimitsCountEachCallOnce(t *testing.T) {
	p := policyOf(t, "[[limits]]\nrate='100/day'\n")
	dir := t.TempDir()
	var passed atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			l := limiterIn(dir)
			for range 20 {
				for { // another may hold the lock for long on a busy machine
					wait, _, err := l.Ask(limitedCall(p, "ada", "x", noon))
					if err == nil && wait == 0 {
						passed.Add(1)
					}
					if err == nil {
						break
					}
				}
			}
		})
	}
	all.Wait()
	if passed.Load() != 100 {
		t.Errorf("%d calls of 100 passed", passed.Load())
	}
}

// A call that cannot be counted is refused, in words.
func TestLimitsThatCannotBeCounted(t *testing.T) {
	g, _, record := gateWith(t, "[[limits]]\nrate='2/minute'\n")
	broken := limiterIn(filepath.Join(t.TempDir(), "file"))
	g.limiter = broken
	if err := os.WriteFile(broken.stateDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v := g.FromClient(message(t, callOf("tools/call", `{}`, `,"name":"get"`)))
	if v.Action != relay.Answer || !strings.Contains(string(v.Line), "the policy limits it and it could not be counted") || record.records[0].Decision != audit.Refused {
		t.Errorf("%v %s %+v", v.Action, v.Line, record.records)
	}
	// Half an entry, as after a crash, is none.
	l := limiterIn(t.TempDir())
	p := policyOf(t, "[[limits]]\nrate='1/minute'\n")
	taking(t, l, p, "ada", "get", 0)
	path := filepath.Join(l.stateDir, "limits", "orders.counts")
	if err := os.Truncate(path, 30); err != nil {
		t.Fatal(err)
	}
	if taking(t, l, p, "ada", "get", 0) == 0 || taking(t, l, p, "ada", "other", 0) != 0 || taking(t, l, p, "ada", "other", 0) == 0 {
		t.Error("half an entry spoils the others")
	}
}

// A model that makes up names can neither fill the disk nor reset a count.
func TestLimitsOfMadeUpNames(t *testing.T) {
	l := limiterIn(t.TempDir())
	path := filepath.Join(l.stateDir, "limits", "orders.counts")
	p := policyOf(t, "[[limits]]\nrate='1/hour'\n")
	if taking(t, l, p, "ada", "tool0", 0) != 0 {
		t.Fatal("the first call is too many")
	}
	entry, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	full := bytes.Repeat(entry, maxBuckets) // of names that were made up
	for i := countSize; i < len(full); i += countSize {
		binary.BigEndian.PutUint64(full[i:], uint64(i))
	}
	if err := os.WriteFile(path, full, 0o600); err != nil {
		t.Fatal(err)
	}
	if taking(t, l, p, "ada", "tool0", 0) == 0 {
		t.Error("the count was reset")
	}
	wait, limit, err := l.Ask(limitedCall(p, "ada", "one more", noon))
	if err != nil || wait == 0 || strings.Contains(limitMessage("x", limit, wait), "Wait") {
		t.Errorf("one more: %s, %v", limitMessage("x", limit, wait), err)
	}
	if taking(t, l, p, "ada", "one more", 2*time.Hour) != 0 {
		t.Error("there is no place later")
	}
	if info, err := os.Stat(path); err != nil || info.Size() > maxBuckets*int64(countSize) {
		t.Errorf("%v, %v", info.Size(), err)
	}
}

// Nobody is asked to agree to a call that is then refused as too often.
func TestLimitBeforeConfirmation(t *testing.T) {
	g, _, record := gateWith(t, "confirm=['get']\n[[limits]]\nrate='1/hour'\n")
	g.tools.complete = true
	taking(t, g.limiter.(*limiter), policyOf(t, "[[limits]]\nrate='1/hour'\n"), "ada", "get", time.Since(noon))
	meta := `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}`
	v := g.FromClient(message(t, callOf("tools/call", meta, `,"name":"get"`)))
	if !strings.Contains(string(v.Line), "that is used up. Wait") || record.records[0].Reason != "limit: 1/hour" {
		t.Errorf("%s", v.Line)
	}
}

func TestLimitedInWords(t *testing.T) {
	g, _, record := gateWith(t, "[[limits]]\ntools=['get']\nrate='2/minute'\nburst=1\n")
	call := callOf("tools/call", `{}`, `,"name":"get"`)
	if g.FromClient(message(t, call)).Action != relay.Forward {
		t.Error("the first call does not pass")
	}
	v := g.FromClient(message(t, call))
	if v.Action != relay.Answer || !strings.Contains(string(v.Line), "the policy allows 2/minute of get, and that is used up. Wait 30 seconds, then call it again.") {
		t.Errorf("%v %s", v.Action, v.Line)
	}
	if record.records[1].Reason != "limit: 2/minute" {
		t.Errorf("%+v", record.records[1])
	}
	if g.FromClient(message(t, callOf("resources/read", `{}`, `,"uri":"get"`))).Action != relay.Forward {
		t.Error("a resource counts as a tool")
	}
}

// A model passes on "24 hours", and nobody wants to read 86400 seconds.
func TestLongWaitsInWords(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		time.Millisecond:               "Wait 1 seconds,",
		2 * time.Minute:                "Wait 120 seconds,",
		2*time.Minute + time.Second:    "Wait 3 minutes,",
		24 * time.Hour:                 "Wait 24 hours,",
		25*time.Hour + time.Nanosecond: "Wait 26 hours,",
	} {
		if got := limitMessage("get", "1/day", wait); !strings.Contains(got, want) {
			t.Errorf("%v: %s", wait, got)
		}
	}
}

func BenchmarkLimits(b *testing.B) {
	p := policyOf(b, "[[limits]]\ntools=['get*']\nrate='1000000/second'\n[[limits]]\nrate='1000000/second'\nshared=true\n")
	l := limiterIn(b.TempDir())
	b.ReportAllocs()
	for b.Loop() {
		l.Ask(limitedCall(p, "ada", "get_x", time.Now()))
	}
}

// To look whether a call would be too many counts nothing.
func TestPeekCountsNothing(t *testing.T) {
	p := policyOf(t, "[[limits]]\nrate='2/minute'\n")
	dir := t.TempDir()
	l := limiterIn(dir)
	peek := func() time.Duration {
		t.Helper()
		call := limitedCall(p, "ada", "x", noon)
		call.Count = false
		wait, _, err := l.Ask(call)
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	for range 10 {
		if wait := peek(); wait != 0 {
			t.Fatalf("wait %s before any call", wait)
		}
	}
	if taking(t, l, p, "ada", "x", 0) != 0 || peek() != 0 || taking(t, limiterIn(dir), p, "ada", "x", 0) != 0 {
		t.Error("two calls of two do not pass")
	}
	if peek() != 30*time.Second {
		t.Errorf("wait %s after both", peek())
	}
}

// After the clock was set back nobody waits longer than an allowance takes to fill.
func TestLimitsAfterTheClockWasSetBack(t *testing.T) {
	p := policyOf(t, "[[limits]]\nrate='2/minute'\n")
	l := limiterIn(t.TempDir())
	for range 2 {
		taking(t, l, p, "ada", "x", 24*time.Hour)
	}
	if wait := taking(t, l, p, "ada", "x", 0); wait != 30*time.Second {
		t.Errorf("wait %s", wait)
	}
}
