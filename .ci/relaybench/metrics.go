package main

import (
	"math"
	"slices"
	"time"
)

// values are one target's figures of one round, in the order of metrics.
type values []float64

// metric is something measured and what issue 3 wants of it.
type metric struct {
	key, words string
	of         func(*tally) float64
	goal       goal
}

// goal bounds a proxy's ratio to the pipe, or its figure itself.
type goal struct {
	bound    float64 // 0 means that there is none
	atLeast  bool    // else at most
	absolute bool    // of the figure, not of the ratio
}

func atMost(bound float64) goal  { return goal{bound: bound} }
func atLeast(bound float64) goal { return goal{bound: bound, atLeast: true} }

// met judges a figure and a ratio.
func (g goal) met(figure, ratio float64) bool {
	judged := ratio
	if g.absolute {
		judged = figure
	}
	if g.atLeast {
		return judged >= g.bound
	}
	return judged <= g.bound
}

var metrics = []metric{
	{"start_ms", "spawn to initialize, ms", func(t *tally) float64 { return 1e3 * quantile(t.starts, 0.5) }, atMost(3)},
	{"call_p50_us", "call of 100 B, p50, µs", func(t *tally) float64 { return 1e6 * quantile(t.calls, 0.5) }, atMost(1.3)},
	{"call_p99_us", "call of 100 B, p99, µs", func(t *tally) float64 { return 1e6 * quantile(t.calls, 0.99) }, atMost(1.5)},
	{"call_cpu_us", "its own CPU time, µs", func(t *tally) float64 { return 1e6 * t.cpu.Seconds() / float64(len(t.calls)) }, goal{}},
	{"calls_per_s", "calls/s, 64 in flight", func(t *tally) float64 { return t.pipelined.perSecond() }, atLeast(0.7)},
	{"down_per_s", "notifications/s to the client", func(t *tally) float64 { return t.down.perSecond() }, goal{}},
	{"up_per_s", "notifications/s to the server", func(t *tally) float64 { return t.up.perSecond() }, goal{}},
	{"echo_64k_mb_s", "echo of 64 KB, MB/s", func(t *tally) float64 { return t.echoes[0].perSecond() }, goal{}},
	{"echo_1m_mb_s", "echo of 1 MB, MB/s", func(t *tally) float64 { return t.echoes[1].perSecond() }, atLeast(0.8)},
	{"echo_16m_mb_s", "echo of 16 MB, MB/s", func(t *tally) float64 { return t.echoes[2].perSecond() }, atLeast(0.8)},
	{"list_p50_ms", "tools/list of 310 tools, p50, ms", func(t *tally) float64 { return 1e3 * quantile(t.lists, 0.5) }, goal{}},
	{"rss_first_mb", "peak RSS after the start, MB", func(t *tally) float64 { return t.memoryAtFirst }, goal{}},
	{"rss_end_mb", "peak RSS after all messages, MB", func(t *tally) float64 { return t.memoryAtEnd }, goal{bound: 20, absolute: true}},
}

func (t *tally) values() values {
	v := make(values, len(metrics))
	for i, m := range metrics {
		v[i] = m.of(t)
	}
	return v
}

// quantile is in seconds.
func quantile(samples []time.Duration, q float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[int(q*float64(len(sorted)-1)+0.5)].Seconds()
}

// spread is a median over rounds with its extremes.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spreadOf(figures []float64) spread {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	return spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1]}
}

// baseline is the index of the target that others are compared with.
const baseline = 1

// figures is the spread of a target's metric.
func (t table) figures(target, metric int) spread {
	all := make([]float64, 0, len(t.rounds))
	for _, round := range t.rounds {
		all = append(all, round[target][metric])
	}
	return spreadOf(all)
}

// ratios is the spread of its ratio to the pipe in the same round.
func (t table) ratios(target, metric int) spread {
	all := make([]float64, 0, len(t.rounds))
	for _, round := range t.rounds {
		all = append(all, round[target][metric]/round[baseline][metric])
	}
	return spreadOf(all)
}

// goalsMet judges this checkout's mcpauth-proxy.
func (t table) goalsMet() bool {
	for i, m := range metrics {
		if m.goal.bound != 0 && !m.goal.met(t.figures(baseline+1, i).Median, t.ratios(baseline+1, i).Median) {
			return false
		}
	}
	return true
}
