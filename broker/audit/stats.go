package audit

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Stats counts what the records tell of. The zero Stats is ready.
type Stats struct {
	Broken int // lines that are no records
	Errs   []error
	byTool map[toolKey]*ToolStats
	calls  map[string]toolKey // of calls without a result yet, by ID
}

type toolKey struct{ method, name string }

// ToolStats is what is counted of one tool, prompt or resource.
type ToolStats struct {
	Method, Name string
	Calls        int // all, the denied ones included
	Denied       int // not allowed, for whatever reason
	Errors       int // tool errors, and JSON-RPC errors
	Unanswered   int
	Times        Histogram // of the answered ones
}

// maxCalls bounds the calls whose results are awaited.
const maxCalls = 100_000

// Add counts a record that the filter chooses. Results count for the tool of their
// call, which must come before them.
func (s *Stats) Add(r *Record, filter *Filter) {
	if s.byTool == nil {
		s.byTool, s.calls = map[toolKey]*ToolStats{}, map[string]toolKey{}
	}
	switch r.Event {
	case Call:
		if !filter.Match(r) {
			return
		}
		key := toolKey{r.Method, r.Name}
		t := s.tool(key)
		t.Calls++
		if r.Decision != Allow {
			t.Denied++
		} else if len(s.calls) < maxCalls {
			s.calls[r.ID] = key
		}
	case Result:
		key, known := s.calls[r.Call]
		if !known {
			return
		}
		delete(s.calls, r.Call)
		s.tool(key).answered(r)
	}
}

func (s *Stats) tool(key toolKey) *ToolStats {
	t := s.byTool[key]
	if t == nil {
		t = &ToolStats{Method: key.method, Name: key.name}
		s.byTool[key] = t
	}
	return t
}

func (t *ToolStats) answered(r *Record) {
	switch r.Status {
	case Unanswered:
		t.Unanswered++
		return
	case Cancelled:
		return
	case ToolError, Failed:
		t.Errors++
	}
	t.Times.Add(time.Duration(r.Micros) * time.Microsecond)
}

// Merge adds the counts of another.
func (t *ToolStats) Merge(other *ToolStats) {
	t.Calls += other.Calls
	t.Denied += other.Denied
	t.Errors += other.Errors
	t.Unanswered += other.Unanswered
	t.Times.Count += other.Times.Count
	t.Times.Sum += other.Times.Sum
	for i, n := range other.Times.buckets {
		t.Times.buckets[i] += n
	}
}

// Tools are the counts, most calls first.
func (s *Stats) Tools() []ToolStats {
	var list []ToolStats
	for _, t := range s.byTool {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(a, b ToolStats) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// Stats counts the records that a filter chooses.
func (f Folder) Stats(filter Filter) *Stats {
	s := &Stats{}
	for line, err := range f.Since(filter.Since) {
		switch {
		case err != nil:
			s.Errs = append(s.Errs, err)
		case line.Err != nil:
			s.Broken++
		default:
			s.Add(&line.Record, &filter)
		}
	}
	return s
}

// Histogram counts durations in buckets whose bounds grow by a twelfth or so, from a
// microsecond to days: percentiles are too high by that at most.
type Histogram struct {
	Count   uint64
	Sum     time.Duration
	buckets [buckets]uint64
}

const (
	buckets   = 320
	perDouble = 8 // buckets until the bound has doubled
)

// Add counts one duration.
func (h *Histogram) Add(d time.Duration) {
	h.Count++
	h.Sum += max(d, 0)
	h.buckets[bucketOf(d)]++
}

func bucketOf(d time.Duration) int {
	micros := float64(d) / float64(time.Microsecond)
	if micros <= 1 {
		return 0
	}
	return min(int(math.Ceil(math.Log2(micros)*perDouble)), buckets-1)
}

// Quantile is the time that this part of all took at most; 0 for none.
func (h *Histogram) Quantile(part float64) time.Duration {
	want := uint64(math.Ceil(part * float64(h.Count)))
	var seen uint64
	for i, n := range h.buckets {
		if seen += n; n > 0 && seen >= want {
			return time.Duration(math.Exp2(float64(i)/perDouble) * float64(time.Microsecond))
		}
	}
	return 0
}

// AtMost is how many took this long at most, as far as the buckets can tell.
func (h *Histogram) AtMost(d time.Duration) (count uint64) {
	for _, n := range h.buckets[:bucketOf(d)+1] {
		count += n
	}
	return count
}
