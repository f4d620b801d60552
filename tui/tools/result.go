package tools

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// result is the answer to a call, made ready to be shown.
type result struct {
	isError bool
	size    int // in bytes, of the whole
	parts   []*widget.Part
	schema  string // what the output schema says; empty where there is none
	matches bool
}

// readResult makes a result ready. It may take long: it is for jobs.
func readResult(answer mcpclient.CallResult, schema json.RawMessage) *result {
	r := &result{isError: answer.IsError, size: len(answer.Raw)}
	structured := readStructured(answer.Structured)
	if structured != nil {
		r.judge(structured.value, schema)
	} else if len(schema) > 0 && !answer.IsError {
		r.schema = "the tool has an output schema, and there is no structured result"
	}
	var links *widget.Part
	for _, c := range answer.Content {
		if c.Type == "resource_link" {
			links = addLink(r, links, c)
			continue
		}
		r.parts = append(r.parts, widget.ReadContent(c))
	}
	number(r.parts)
	if len(r.parts) > 1 {
		r.parts = slices.Insert(r.parts, 0, widget.AllParts(slices.Clone(r.parts)))
	}
	if structured != nil {
		at := len(r.parts)
		if structured.whole || structured.Modes[0] == "table" || at == 0 || r.parts[0].Tree != nil { // else a text says it better
			at = 0
		}
		r.parts = slices.Insert(r.parts, at, structured.Part)
	}
	r.parts = append(r.parts, widget.RawPart(answer.Raw))
	return r
}

// judge holds the structured result against the tool's output schema.
func (r *result) judge(v *toolargs.Value, schema json.RawMessage) {
	if len(schema) == 0 {
		return
	}
	if problems := toolargs.Read(schema).Check(v); len(problems) > 0 {
		r.schema = "does not match the output schema: " + text.CleanLine(problems[0].Sentence())
		return
	}
	r.schema, r.matches = "matches the tool's output schema", true
}

// number tells parts of one title apart.
func number(parts []*widget.Part) {
	total, seen := map[string]int{}, map[string]int{}
	for _, p := range parts {
		total[p.Title]++
	}
	for _, p := range parts {
		if title := p.Title; total[title] > 1 {
			seen[title]++
			p.Title = fmt.Sprintf("%s %d", title, seen[title])
		}
	}
}

func addLink(r *result, links *widget.Part, c mcpclient.Content) *widget.Part {
	if links == nil {
		links = &widget.Part{Title: "Links", Name: "links.txt"}
		r.parts = append(r.parts, links)
	}
	links.Links = append(links.Links, widget.Link{URI: c.URI, Name: text.CleanLine(c.Name), Info: text.CleanLine(c.MIMEType)})
	links.Info = text.Count(len(links.Links), "resource")
	links.Text += c.URI + "\n"
	links.Data = []byte(links.Text)
	links.Resize(len(links.Links))
	return links
}

// structured is a structured result.
type structured struct {
	*widget.Part
	value *toolargs.Value
	whole bool // it is one string, and shown as such
}

func readStructured(raw json.RawMessage) *structured {
	if len(raw) == 0 {
		return nil
	}
	v, err := toolargs.ParseLenient(raw)
	if err != nil {
		return nil // it stands in the raw message
	}
	if len(v.Members) == 1 && v.Members[0].Value.Kind == '"' {
		body := v.Members[0].Value.Text
		return &structured{widget.TextPart("Structured", body, ""), v, true}
	}
	return &structured{widget.JSONPart("Structured", v, string(raw)), v, false}
}
