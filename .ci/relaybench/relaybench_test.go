package main

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A bench that takes a broken relay for a whole one would be worse than none.
func TestFaultsAreSeen(t *testing.T) {
	answer := func(id int, arguments string) []byte { return appendEcho(nil, id, arguments) }
	for name, test := range map[string]struct {
		line, want []byte
		faults     faults
	}{
		"as it must be":        {answer(7, `{"n":1.0}`), answer(7, `{"n":1.0}`), faults{}},
		"number spelled anew":  {answer(7, `{"n":1}`), answer(7, `{"n":1.0}`), faults{Altered: 1}},
		"one byte altered":     {answer(7, `{"n":1.1}`), answer(7, `{"n":1.0}`), faults{Altered: 1}},
		"id rounded":           {answer(9007199254740992, `{}`), answer(9007199254740993, `{}`), faults{Reordered: 1}},
		"answer of the next":   {answer(8, `{"n":1.0}`), answer(7, `{"n":1.0}`), faults{Reordered: 1}},
		"notification skipped": {appendLog(nil, 5), appendLog(nil, 4), faults{Reordered: 1}},
		"cut short":            {answer(7, `{}`)[:20], answer(7, `{}`), faults{Altered: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{}
			s.expect(test.line, test.want)
			if diff := cmp.Diff(test.faults, s.faults); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIncorrectTablesFail(t *testing.T) {
	for name, table := range map[string]table{
		"lost":      {faults: []faults{{}, {Lost: 1}}},
		"reordered": {faults: []faults{{Reordered: 1}}},
		"altered":   {faults: []faults{{Altered: 1}}},
		"no record": {shortfalls: []string{"mcpauth: of 3 calls 2 are on record"}},
	} {
		if table.correct() {
			t.Errorf("%s passes", name)
		}
	}
	if !(table{faults: make([]faults, 3)}).correct() {
		t.Error("a table without faults fails")
	}
}

func TestWhatTheServerMustReceive(t *testing.T) {
	proxy := &target{proxy: true, user: []byte(`{"sub":"ada"}`)}
	for line, want := range map[string]string{
		`{"params":{"name":"line","arguments":{}}}`:  `{"params":{"_meta":{"io.github.mcpauth/user":{"sub":"ada"}},"name":"line","arguments":{}}}`,
		`{"params":{"_meta":{"a":1},"name":"line"}}`: `{"params":{"_meta":{"io.github.mcpauth/user":{"sub":"ada"},"a":1},"name":"line"}}`,
		`{"params":{"name":"mine","arguments":{"x":1}}}`: `{"params":{"_meta":{"io.github.mcpauth/user":{"sub":"ada"}},` +
			`"name":"mine","arguments":{"_oauth_user":{"sub":"ada"},"x":1}}}`,
	} {
		if diff := cmp.Diff(want, string(proxy.received([]byte(line)))); diff != "" {
			t.Error(diff)
		}
		if got := (&target{}).received([]byte(line)); string(got) != line {
			t.Errorf("without a proxy: %s", got)
		}
	}
}

func TestToolList(t *testing.T) {
	for _, declared := range []bool{true, false} {
		list := toolList(declared)
		var result struct{ Tools []struct{ Name string } }
		if err := json.Unmarshal(list, &result); err != nil {
			t.Fatal(err)
		}
		if len(result.Tools) != listedTools || len(list) < 100_000 {
			t.Errorf("%d tools in %d bytes", len(result.Tools), len(list))
		}
		if bytes.Contains(list, []byte("_oauth_user")) != declared {
			t.Errorf("declared %t: the list does not agree", declared)
		}
	}
}

func TestRatiosAreWithinTheRound(t *testing.T) {
	round := func(pipe, proxy float64) []values {
		all := make([]values, 3)
		for i, figure := range []float64{1, pipe, proxy} {
			all[i] = slicesOf(figure, len(metrics))
		}
		return all
	}
	table := table{targets: make([]*target, 3), rounds: [][]values{round(10, 12), round(100, 110), round(10, 20)}}
	if diff := cmp.Diff(spread{1.2, 1.1, 2}, table.ratios(2, 0)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(spread{20, 12, 110}, table.figures(2, 0)); diff != "" {
		t.Error(diff)
	}
}

func slicesOf(figure float64, n int) values {
	v := make(values, n)
	for i := range v {
		v[i] = figure
	}
	return v
}

func TestGoals(t *testing.T) {
	for _, test := range []struct {
		goal          goal
		figure, ratio float64
		met           bool
	}{
		{atMost(1.3), 100, 1.3, true}, {atMost(1.3), 1, 1.31, false},
		{atLeast(0.7), 1, 0.7, true}, {atLeast(0.7), 100, 0.69, false},
		{goal{bound: 20, absolute: true}, 20, 8, true}, {goal{bound: 20, absolute: true}, 21, 1, false},
		{atMost(3), math.NaN(), math.NaN(), false}, // what was not measured is not met
	} {
		if got := test.goal.met(test.figure, test.ratio); got != test.met {
			t.Errorf("%v with %v and ×%v: %t", test.goal, test.figure, test.ratio, got)
		}
	}
}

func TestQuantile(t *testing.T) {
	var samples []time.Duration
	for n := 100; n >= 0; n-- {
		samples = append(samples, time.Duration(n)*time.Second)
	}
	for q, want := range map[float64]float64{0: 0, 0.5: 50, 0.99: 99, 1: 100} {
		if got := quantile(samples, q); got != want {
			t.Errorf("quantile %v is %v", q, got)
		}
	}
	if !math.IsNaN(quantile(nil, 0.5)) {
		t.Error("no samples have a quantile")
	}
}
