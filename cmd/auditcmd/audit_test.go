package auditcmd

import (
	"slices"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
)

// What somebody chose cannot be a formula, and what is a number stays one.
func TestCSVRow(t *testing.T) {
	var e audit.Entry
	e.Record.Time = time.Date(2026, 11, 28, 1, 2, 3, 40e6, time.UTC)
	e.Record.Name = "-1+1"
	result := e.Line
	result.Record.Event, result.Record.Status, result.Record.Code, result.Record.Bytes = audit.Result, "error", -32602, 81
	e.Result = &result
	row := csvRow(e)
	if row[0] != "2026-11-28T01:02:03.040Z" || row[10] != "'-1+1" || !slices.Equal(row[14:18], []string{"error", "-32602", "81", "0"}) {
		t.Errorf("%q", row)
	}
}
