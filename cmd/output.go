package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"

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
