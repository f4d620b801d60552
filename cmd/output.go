package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/mcpauth/mcpauth/broker"
)

// printJSON prints one object with "schema": 1. Members may be added to an
// object later, none is ever changed.
func (a *app) printJSON(members map[string]any) {
	object := map[string]any{"schema": 1}
	maps.Copy(object, members)
	a.encode(object)
}

// encode prints JSON, in which what a terminal would obey is escaped.
func (a *app) encode(value any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		a.say("mcpauth: %v", err)
		return
	}
	_, _ = a.Out.Write(broker.CleanJSON(text.Bytes())) // Main looks at the writer's error
}

// compactJSON is a value on one line.
func compactJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(broker.CleanJSON(text))
}

// printable makes a text from outside fit for one line of a terminal.
func printable(text string) string { return broker.CleanLine(text) }

// when is a moment for people: the time of day, with the date if it is not today.
func when(t, now time.Time) string {
	t = t.Local()
	if t.Format(time.DateOnly) == now.Local().Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2 Jan 2006 15:04")
}

// span is a duration for people, in the one or two largest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return printable(text)
}

// countOf is a number of things in words: "1 tool", "2 tools".
func countOf(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
