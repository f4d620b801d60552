package audit

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"
)

// Stats counts what the records tell of. The zero Stats is ready.
type Stats struct {
	Errs []error
	counts
}

// counts are what is counted of some records, and the calls and results of them that wait
// for the other half: that may be in another file.
type counts struct {
	Broken  int // lines that are no records
	Groups  []*callGroup
	Open    map[string]int        // calls without a result, by ID: which group
	Results map[string]callResult // results without a call, by its ID

	byKey map[callKey]int
}

// callKey is what a [Filter] can choose calls by.
type callKey struct{ Profile, Sub, Email, Client, ClientID, Method, Name string }

type callGroup struct {
	callKey
	callCounts
}

type callCounts struct {
	Calls      int // all, the denied ones included
	Denied     int // not allowed, for whatever reason
	Errors     int // tool errors, and JSON-RPC errors
	Unanswered int
	Times      Histogram // of the answered ones
}

type callResult struct {
	Status string
	Micros int64
}

// ToolStats is what is counted of one tool, prompt or resource.
type ToolStats struct {
	Method, Name string
	callCounts
}

// maxCalls bounds the calls, and the results, that wait.
const maxCalls = 100_000

// Add counts a record that the filter chooses. Results count for their calls.
func (s *Stats) Add(r *Record, filter *Filter) {
	if r.Event != Call || filter.Match(r) {
		s.add(r)
	}
}

func (c *counts) add(r *Record) {
	switch r.Event {
	case Call:
		i := c.group(callKey{r.Profile, r.Sub, r.Email, r.Client, r.ClientID, r.Method, r.Name})
		c.Groups[i].Calls++
		if r.Decision != Allow {
			c.Groups[i].Denied++
			return
		}
		c.open(r.ID, i)
	case Result:
		c.result(r.Call, callResult{r.Status, r.Micros})
	}
}

func (c *counts) group(key callKey) int {
	if c.byKey == nil {
		c.byKey, c.Open, c.Results = map[callKey]int{}, map[string]int{}, map[string]callResult{}
	}
	i, known := c.byKey[key]
	if !known {
		i = len(c.Groups)
		c.byKey[key] = i
		c.Groups = append(c.Groups, &callGroup{callKey: key})
	}
	return i
}

func (c *counts) open(id string, group int) {
	if r, known := c.Results[id]; known {
		delete(c.Results, id)
		c.Groups[group].answered(r)
	} else if len(c.Open) < maxCalls {
		c.Open[id] = group
	}
}

func (c *counts) result(call string, r callResult) {
	if i, known := c.Open[call]; known {
		delete(c.Open, call)
		c.Groups[i].answered(r)
	} else if len(c.Results) < maxCalls {
		if c.Results == nil {
			c.Results = map[string]callResult{}
		}
		c.Results[call] = r
	}
}

func (t *callCounts) answered(r callResult) {
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

// merge adds the counts of another that the filter chooses, by anything but time.
func (c *counts) merge(other *counts, filter Filter) {
	denied := filter.Denied
	filter.Denied, filter.Since = false, time.Time{}
	groups := make([]int, len(other.Groups))
	for i, g := range other.Groups {
		r := Record{
			Event: Call, Profile: g.Profile, Sub: g.Sub, Email: g.Email, Client: g.Client, ClientID: g.ClientID,
			Method: g.Method, Name: g.Name,
		}
		groups[i] = -1
		switch {
		case !filter.Match(&r) || denied && g.Denied == 0:
		case denied:
			c.Groups[c.group(g.callKey)].merge(&callCounts{Calls: g.Denied, Denied: g.Denied})
		default:
			groups[i] = c.group(g.callKey)
			c.Groups[groups[i]].merge(&g.callCounts)
		}
	}
	for id, i := range other.Open {
		if i >= 0 && i < len(groups) && groups[i] >= 0 {
			c.open(id, groups[i])
		}
	}
	for call, r := range other.Results {
		c.result(call, r)
	}
	c.Broken += other.Broken
}

func (t *callCounts) merge(other *callCounts) {
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
	type tool struct{ method, name string }
	byTool := map[tool]*ToolStats{}
	for _, g := range s.Groups {
		key := tool{g.Method, g.Name}
		if byTool[key] == nil {
			byTool[key] = &ToolStats{Method: g.Method, Name: g.Name}
		}
		byTool[key].merge(&g.callCounts)
	}
	var list []ToolStats
	for _, t := range byTool {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(a, b ToolStats) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// Stats counts the records that a filter chooses. What was counted of whole files that did
// not change since is in the index.
func (f Folder) Stats(filter Filter) *Stats {
	s := &Stats{}
	files, err := f.files()
	if err != nil {
		s.Errs = append(s.Errs, err)
	}
	kept := f.openIndex()
	for _, file := range files {
		day, _, _ := parseFileName(file.Name)
		if !day.AddDate(0, 0, 1).After(filter.Since) {
			continue
		}
		var err error
		if day.Before(filter.Since) { // only a part of it
			err = f.lines(file.Name, filter.Since.Add(-slack), nil, func(line Line) bool {
				if line.Err != nil {
					s.Broken++
				} else {
					s.Add(&line.Record, &filter)
				}
				return true
			})
		} else {
			err = f.countWhole(file, kept, &s.counts, filter)
		}
		if err != nil {
			s.Errs = append(s.Errs, err)
		}
	}
	kept.save(files)
	return s
}

// countWhole adds the counts of a whole file.
func (f Folder) countWhole(file File, kept *index, to *counts, filter Filter) error {
	entry := kept.entry(file)
	if entry.Counts == nil {
		of := &counts{}
		err := f.lines(file.Name, time.Time{}, nil, func(line Line) bool {
			if line.Err != nil {
				of.Broken++
			} else {
				of.add(&line.Record)
			}
			return true
		})
		if err != nil {
			return err
		}
		entry.Counts, kept.changed = of, true
	}
	to.merge(entry.Counts, filter)
	return nil
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

// histogramJSON is a Histogram as it is kept: most buckets are empty.
type histogramJSON struct {
	Count   uint64
	Sum     time.Duration
	Buckets map[int]uint64
}

// MarshalJSON implements json.Marshaler.
func (h Histogram) MarshalJSON() ([]byte, error) {
	sparse := histogramJSON{h.Count, h.Sum, map[int]uint64{}}
	for i, n := range h.buckets {
		if n > 0 {
			sparse.Buckets[i] = n
		}
	}
	return json.Marshal(sparse)
}

// UnmarshalJSON implements json.Unmarshaler.
func (h *Histogram) UnmarshalJSON(text []byte) error {
	var sparse histogramJSON
	if err := json.Unmarshal(text, &sparse); err != nil {
		return err
	}
	h.Count, h.Sum = sparse.Count, sparse.Sum
	for i, n := range sparse.Buckets {
		if i < 0 || i >= buckets {
			return errors.New("there is no such bucket")
		}
		h.buckets[i] = n
	}
	return nil
}
