package audit

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSearchJoinsAndFilters(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	now := time.Now().Add(-time.Hour)
	calls := []Record{
		{Sub: "u1", Email: "Ada@example.com", Profile: "work", Client: "claude", Name: "list_users", Decision: Allow},
		{Sub: "u1", Email: "Ada@example.com", Profile: "work", Client: "claude", Name: "delete_user", Decision: Deny},
		{Sub: "u2", Email: "grace@example.com", Profile: "home", Client: "codex", Name: "list_orders", Decision: Allow},
	}
	for i, r := range calls {
		r.Event, r.ID, r.Time, r.Method = Call, fmt.Sprint("id", i), now.Add(time.Duration(i)*time.Minute), "tools/call"
		if err := l.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	l.AppendAsync(Outcome{Call: "id0", Time: now.Add(30 * time.Second), Status: ToolError, Micros: 5})
	l.Close()
	for name, test := range map[string]struct {
		filter Filter
		limit  int
		want   []string
	}{
		"all calls":  {Filter{Tool: "*_*"}, 0, []string{"id2 sent", "id1 deny", "id0 tool_error"}},
		"by e-mail":  {Filter{User: "ada@EXAMPLE.com"}, 0, []string{"id1 deny", "id0 tool_error"}},
		"by sub":     {Filter{User: "u2"}, 0, []string{"id2 sent"}},
		"by tool":    {Filter{Tool: "list_*"}, 0, []string{"id2 sent", "id0 tool_error"}},
		"one tool":   {Filter{Tool: "list_users"}, 0, []string{"id0 tool_error"}},
		"no pattern": {Filter{Tool: "list.users"}, 0, nil},
		"denied":     {Filter{Denied: true}, 0, []string{"id1 deny"}},
		"profile":    {Filter{Profile: "home"}, 0, []string{"id2 sent"}},
		"client":     {Filter{Client: "codex"}, 0, []string{"id2 sent"}},
		"since":      {Filter{Tool: "*_*", Since: now.Add(70 * time.Second)}, 0, []string{"id2 sent"}},
		"limit":      {Filter{Tool: "*_*"}, 2, []string{"id2 sent", "id1 deny"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for e, err := range Folder(dir).Newest(test.filter, test.limit) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Record.ID+" "+e.Outcome())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	e, ok, errs := Folder(dir).Find("id0")
	if !ok || len(errs) > 0 || e.Result == nil || e.Result.Record.Status != ToolError {
		t.Errorf("%+v, %v, %v", e, ok, errs)
	}
	if _, ok, _ := Folder(dir).Find("id9"); ok {
		t.Error("it finds what is not there")
	}
}

func TestStatsCountByTool(t *testing.T) {
	var s Stats
	all := &Filter{}
	for i := range 100 {
		id := fmt.Sprint(i)
		s.Add(&Record{Event: Call, ID: id, Method: "tools/call", Name: "slow", Decision: Allow, Sub: "ada"}, all)
		status := OK
		if i%10 == 0 {
			status = Failed
		}
		s.Add(&Record{Event: Result, Call: id, Status: status, Micros: int64(i+1) * 1000}, all)
	}
	s.Add(&Record{Event: Call, ID: "d", Method: "tools/call", Name: "slow", Decision: Deny}, all)
	s.Add(&Record{Event: Call, ID: "u", Method: "tools/call", Name: "quick", Decision: Allow}, all)
	s.Add(&Record{Event: Result, Call: "u", Status: Unanswered, Micros: 9e9}, all)
	s.Add(&Record{Event: Call, ID: "c", Method: "tools/call", Name: "quick", Decision: Allow}, all)
	s.Add(&Record{Event: Result, Call: "c", Status: Cancelled, Micros: 9e9}, all)
	s.Add(&Record{Event: Call, ID: "f", Method: "tools/call", Name: "other", Decision: Allow, Sub: "grace"}, &Filter{User: "ada"})
	s.Add(&Record{Event: Result, Call: "f", Status: OK}, all)
	tools := s.Tools()
	if len(tools) != 2 || tools[0].Name != "slow" || tools[1].Name != "quick" {
		t.Fatalf("%+v", tools)
	}
	slow, quick := tools[0], tools[1]
	if slow.Calls != 101 || slow.Denied != 1 || slow.Errors != 10 || quick.Calls != 2 || quick.Errors != 0 || quick.Unanswered != 1 || quick.Times.Count != 0 {
		t.Errorf("%+v", tools)
	}
	for part, want := range map[float64]time.Duration{0.5: 50 * time.Millisecond, 0.95: 95 * time.Millisecond, 0.99: 99 * time.Millisecond} {
		if got := slow.Times.Quantile(part); got < want || got > want*11/10 {
			t.Errorf("p%v is %v, want about %v", part*100, got, want)
		}
	}
	if quick.Times.Quantile(0.5) != 0 {
		t.Error("there is something in an empty bucket")
	}
}
