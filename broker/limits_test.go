package broker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/relay"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestLimits(t *testing.T) {
	p := policyOf(t, "[[limits]]\ntools=['search_*']\nrate='2/minute'\n[[limits]]\nrate='3/minute'\nshared=true\n")
	var l limiter
	take := func(sub, tool string, at time.Duration) time.Duration {
		wait, _ := l.take(p.Limits(tool), sub, tool, noon.Add(at))
		return wait
	}
	for i, step := range []struct {
		sub, tool string
		at, wait  time.Duration
	}{
		{"ada", "search_a", 0, 0},
		{"ada", "search_a", 0, 0},
		{"ada", "search_a", 0, 30 * time.Second}, // its own allowance is used up
		{"ada", "SEARCH_A", 0, 0},                // a made-up name counts for all
		{"ada", "get", 0, 20 * time.Second},      // that of all tools is used up
		{"grace", "get", 0, 0},                   // another user has her own
		{"ada", "get", 20 * time.Second, 0},
		{"ada", "search_a", 30 * time.Second, 10 * time.Second}, // a refusal counts nowhere
		{"ada", "search_a", 40 * time.Second, 0},
	} {
		if wait := take(step.sub, step.tool, step.at).Round(time.Millisecond); wait != step.wait {
			t.Errorf("step %d: wait %s, want %s", i, wait, step.wait)
		}
	}
	p = policyOf(t, "[[limits]]\ntools=['search_*']\nrate='2/minute'\n[[limits]]\nrate='3/minute'\nshared=true\n[[rules]]\neffect='allow'")
	if take("ada", "get", 40*time.Second) == 0 {
		t.Error("a reload gives a new allowance")
	}
}

// A model that makes up names can neither fill the memory nor reset a count.
func TestLimitsOfMadeUpNames(t *testing.T) {
	p := policyOf(t, "[[limits]]\nrate='1/hour'\n")
	var l limiter
	for i := range maxBuckets + 10 {
		l.take(p.Limits("x"), "ada", fmt.Sprint("tool", i), noon)
	}
	if wait, _ := l.take(p.Limits("x"), "ada", "tool0", noon); wait == 0 || len(l.buckets) > maxBuckets {
		t.Errorf("wait %s, %d buckets", wait, len(l.buckets))
	}
	if wait, limit := l.take(p.Limits("x"), "ada", "one more", noon); wait == 0 || strings.Contains(limitWords("x", limit, wait), "Wait") {
		t.Errorf("one more: %s", limitWords("x", limit, wait))
	}
	if wait, _ := l.take(p.Limits("x"), "ada", "one more", noon.Add(2*time.Hour)); wait != 0 {
		t.Errorf("later: %s", wait)
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

func BenchmarkLimits(b *testing.B) {
	p := policyOf(b, "[[limits]]\ntools=['get*']\nrate='1000000/second'\n[[limits]]\nrate='1000000/second'\nshared=true\n")
	var l limiter
	b.ReportAllocs()
	for b.Loop() {
		l.take(p.Limits("get_x"), "ada", "get_x", time.Now())
	}
}
