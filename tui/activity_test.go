package tui

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/tui/activity"
)

// auditFile appends to the record of a test, as a proxy would but for the chain.
func auditFile(t *testing.T, folder audit.Folder, records ...audit.Record) {
	t.Helper()
	path := filepath.Join(string(folder), "audit-"+fakeNow.Format(time.DateOnly)+".jsonl")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(file, "%s\n", line)
	}
}

// writeAudit is a record with a bit of everything.
func writeAudit(t *testing.T, folder audit.Folder) {
	at := func(s int) time.Time { return fakeNow.Add(-time.Duration(s) * time.Second) }
	call := func(id string, s int, client, name, decision, reason string) audit.Record {
		return audit.Record{
			Time: at(s), ID: id, Event: "call", Profile: "orders-prod", Sub: "ada-1", Email: "ada@example.com", Client: client,
			ClientVersion: "2.1.330", Server: "python3 main.py", Method: "tools/call", Name: name, Decision: decision, Reason: reason,
		}
	}
	result := func(id string, s int, status string, micros int64) audit.Record {
		return audit.Record{Time: at(s), ID: "r" + id, Event: "result", Call: id, Status: status, Bytes: 13900, Micros: micros}
	}
	login := audit.Record{Time: at(2400), ID: "a0", Event: "login", Profile: "orders-prod", Sub: "ada-1", Email: "ada@example.com", Decision: "allow"}
	search := call("a2", 19, "Claude Code", "search_orders", "allow", "rule 3 (role support)")
	search.Arguments = append(search.Arguments, argument("query", 6, `"late"`), argument("status", 6, ""))
	auditFile(t, folder, login,
		call("a1", 120, activity.OwnClient, "get_customer", "allow", "rule 3 (role support)"), result("a1", 120, "ok", 88_000),
		search, result("a2", 19, "ok", 198_000),
		call("a3", 15, "Claude Code", "refund_order", "deny", "refund_order needs the role finance (rule 7)"),
		call("a4", 9, "Codex", "export_orders", "allow", "rule 3 (role support)"), result("a4", 8, "tool_error", 213_000),
		call("a5", 1, "Claude Code", "search_orders", "allow", "rule 3 (role support)"))
}

func argument(name string, bytes int, value string) (a audit.Argument) {
	a.Name, a.Bytes, a.Hash, a.Value = name, bytes, "0123456789abcdef", value
	return a
}

func TestActivity(t *testing.T) {
	b := newBench(t, func(o *Options, h *fakeHome, _ *fakeServer) { o.Tab = "activity"; writeAudit(t, h.audit) })
	b.until("refund_order", "denied", "signed in", "tool error")
	b.golden("activity")
	b.press("e")
	b.until("1 of 6")
	b.press("enter")
	b.until("needs the role finance")
	b.golden("activity_denied")
	b.press("e", "e", "w")
	b.until("Claude Code · 3 of 6")
	b.send(tea.WindowSizeMsg{Width: 60, Height: 20})
	b.until("● live")
	b.send(tea.WindowSizeMsg{Width: 100, Height: 12}) // beside the list the detail is scrolled
	b.lacks("enter detail")
	b.press("end")
	b.until("11 more lines")
	b.press("shift+down", "shift+down", "shift+down", "shift+down", "shift+down")
	b.until("id ", "a2")
	b.send(tea.WindowSizeMsg{Width: 100, Height: 30})
	b.press("esc", "/")
	b.text("codex")
	b.until("1 of 6", "export_orders")
	b.press("esc")

	// What is written now is shown now.
	auditFile(t, b.home.audit, audit.Record{Time: fakeNow, ID: "b1", Event: "call", Client: "Cursor", Method: "tools/call", Name: "fresh_call", Decision: "allow"})
	b.until("fresh_call", "· sent")
	auditFile(t, b.home.audit, audit.Record{Time: fakeNow, ID: "rb1", Event: "result", Call: "b1", Status: "ok", Micros: 5000})
	b.until("5 ms")

	b.press("space")
	auditFile(t, b.home.audit, audit.Record{Time: fakeNow, ID: "b2", Event: "call", Client: "Cursor", Method: "tools/call", Name: "later_call", Decision: "allow"})
	b.until("paused", "1 new")
	b.lacks("later_call")
	b.press("space")
	b.until("later_call")
}
