package tui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	_ "image/gif"  // their sizes are shown
	_ "image/jpeg" // "
	_ "image/png"  // "
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

// result is the answer to a call, made ready to be shown.
type result struct {
	isError bool
	size    int // in bytes, of the whole
	parts   []*part
	schema  string // what the output schema says; empty where there is none
	matches bool
}

// part is something of a result that is shown by itself.
type part struct {
	title, info string
	modes       []string // ways to show it
	mode        int
	draw        func(mode string, width int, l *look) []string // may take long: for jobs alone

	text   string // what is copied; empty for nothing
	data   []byte // what is saved
	name   string // of the file
	uri    string // what o opens; empty for nothing
	links  []link
	pager          // of the lines that were drawn
	have   drawing // what the pager has
	wanted drawing // what a job draws
	list           // over links
	tree   *tree   // of a JSON value; nil for all else
}

// asTree is the tree of a part, where that is how it is shown.
func (p *part) asTree() *tree {
	if p.tree == nil || p.modes[p.mode] != "tree" {
		return nil
	}
	return p.tree
}

type link struct{ uri, name, info string }

// drawing says how lines were drawn.
type drawing struct {
	mode, width int
	style       int // of the look
}

// partDrawn is what a job drew.
type partDrawn struct {
	part  *part
	how   drawing
	lines []string
}

// take shows what was drawn, if it is still what is wanted.
func (p *part) take(d partDrawn) {
	if d.how == p.wanted {
		top := p.pager.top
		if p.have.mode != d.how.mode {
			top = 0
		}
		p.have = d.how
		p.pager.lines, p.pager.top = d.lines, top
	}
}

// Bounds of what is shown of a text. All of it can be saved.
const (
	maxShownBytes = 256 << 10
	maxShownLines = 5000
)

// capped is the beginning of a text that is shown, and whether there is more.
func capped(text string) (string, bool) {
	more := false
	if len(text) > maxShownBytes {
		text, more = strings.ToValidUTF8(text[:maxShownBytes], ""), true
	}
	if lines := strings.SplitN(text, "\n", maxShownLines+1); len(lines) > maxShownLines {
		text, more = strings.Join(lines[:maxShownLines], "\n"), true
	}
	return text, more
}

// moreNote ends a text that was cut.
func moreNote(l *look, size int) []string {
	return []string{"", l.warn.Render("… this is the beginning of " + byteSize(size) + ": w saves all of it")}
}

// readResult makes a result ready. It may take long: it is for jobs.
func readResult(answer broker.CallResult, schema json.RawMessage) *result {
	r := &result{isError: answer.IsError, size: len(answer.Raw)}
	structured := readStructured(answer.Structured)
	if structured != nil {
		r.parts = append(r.parts, structured.part)
		r.judge(structured.value, schema)
	} else if len(schema) > 0 && !answer.IsError {
		r.schema = "the tool has an output schema, and there is no structured result"
	}
	var links *part
	for _, c := range answer.Content {
		if c.Type == "resource_link" {
			links = addLink(r, links, c)
			continue
		}
		r.parts = append(r.parts, readContent(c))
	}
	number(r.parts)
	r.parts = append(r.parts, rawPart(answer.Raw))
	return r
}

// judge holds the structured result against the tool's output schema.
func (r *result) judge(v *jsonValue, schema json.RawMessage) {
	if len(schema) == 0 {
		return
	}
	parsed, err := parseServerJSON(schema)
	if err != nil {
		r.schema = "the output schema is no JSON"
		return
	}
	judge := newValidator(parsed)
	if judge.schema == nil {
		r.schema = "the output schema cannot be read: " + judge.note
		return
	}
	if err := judge.judge("", v.plain()); err != nil {
		r.schema = "does not match the output schema: " + innermost(err)
		return
	}
	r.schema, r.matches = "matches the tool's output schema", true
}

// number tells parts of one title apart.
func number(parts []*part) {
	total, seen := map[string]int{}, map[string]int{}
	for _, p := range parts {
		total[p.title]++
	}
	for _, p := range parts {
		if title := p.title; total[title] > 1 {
			seen[title]++
			p.title = fmt.Sprintf("%s %d", title, seen[title])
		}
	}
}

func addLink(r *result, links *part, c broker.Content) *part {
	if links == nil {
		links = &part{title: "Links", name: "links.txt"}
		r.parts = append(r.parts, links)
	}
	links.links = append(links.links, link{c.URI, broker.CleanLine(c.Name), broker.CleanLine(c.MIMEType)})
	links.info = plural(len(links.links), "resource", "resources")
	links.text += c.URI + "\n"
	links.data = []byte(links.text)
	links.resize(len(links.links))
	return links
}

func readContent(c broker.Content) *part {
	var p *part
	switch c.Type {
	case "text":
		p = textPart("Text", c.Text, c.MIMEType)
	case "image", "audio":
		p = mediaPart(c)
	case "resource":
		if len(c.Data) > 0 {
			p = mediaPart(c)
		} else {
			p = textPart("Resource", c.Text, c.MIMEType)
		}
		p.title, p.uri = "Resource", c.URI
		p.name = fileName(c.URI, "")
		p.info = strings.TrimSpace(broker.CleanLine(c.MIMEType) + " " + p.info)
	default:
		v, err := parseServerJSON(c.Raw)
		if err != nil {
			v = jsonNull
		}
		p = jsonPart(broker.CleanLine(c.Type), v, string(c.Raw))
	}
	return p
}

// textPart is a text, as it is and, where it looks like it, as what it means.
func textPart(title, text, mime string) *part {
	p := &part{title: title, info: byteSize(len(text)), text: text, data: []byte(text), name: "result.txt", modes: []string{"text"}}
	if trimmed := strings.TrimSpace(text); trimmed != "" && (trimmed[0] == '{' || trimmed[0] == '[') {
		if v, err := parseServerJSON([]byte(trimmed)); err == nil {
			p = jsonPart(title, v, text)
			p.modes = append(p.modes, "text")
			p.draw = func(mode string, width int, l *look) []string {
				if mode == "text" {
					return drawText(text, width, l)
				}
				return drawJSON(v, mode, width, l, len(text))
			}
			return p
		}
	}
	if strings.Contains(mime, "markdown") || looksLikeMarkdown(text) {
		p.modes, p.name = []string{"markdown", "text"}, "result.md"
	}
	p.draw = func(mode string, width int, l *look) []string {
		if mode == "markdown" && len(text) <= maxMarkdown {
			return drawMarkdown(text, width, l)
		}
		return drawText(text, width, l)
	}
	return p
}

// mediaPart is an image, a sound or other bytes: what they are, and saved on demand.
func mediaPart(c broker.Content) *part {
	kind := broker.CleanLine(c.MIMEType)
	p := &part{title: "Data", info: byteSize(len(c.Data)), data: c.Data, modes: []string{"about"}}
	short, ending := kind[strings.LastIndexByte(kind, '/')+1:], ".bin"
	if plain := fileName(short, ""); short != "" && plain == short {
		ending = "." + short
	}
	p.name = "result" + ending
	facts := []string{kind, byteSize(len(c.Data))}
	switch {
	case strings.HasPrefix(kind, "image/") || c.Type == "image":
		p.title, p.name = "Image", "image"+ending
		if config, format, err := image.DecodeConfig(bytes.NewReader(c.Data)); err == nil {
			size := fmt.Sprintf("%d×%d", config.Width, config.Height)
			facts = append(facts, size+" pixels", format)
			p.info = size + " " + format
		} else {
			p.info += " " + short
		}
	case strings.HasPrefix(kind, "audio/") || c.Type == "audio":
		p.title, p.name = "Audio", "audio"+ending
		p.info += " " + short
	}
	p.draw = func(_ string, width int, l *look) []string {
		lines := []string{l.strong.Render(p.title)}
		for _, fact := range facts {
			lines = append(lines, cut("  "+fact, width))
		}
		return append(lines, "", l.dim.Render(cut("w saves it in a file", width)))
	}
	return p
}

// structured is a structured result.
type structured struct {
	*part
	value *jsonValue
}

func readStructured(raw json.RawMessage) *structured {
	if len(raw) == 0 {
		return nil
	}
	v, err := parseServerJSON(raw)
	if err != nil {
		return nil // it stands in the raw message
	}
	return &structured{jsonPart("Structured", v, string(raw)), v}
}

// jsonPart is a JSON value: as a table where it is a list of like objects, as a
// tree, as JSON.
func jsonPart(title string, v *jsonValue, text string) *part {
	p := &part{title: title, info: byteSize(len(text)), text: text, data: []byte(text), name: "result.json", modes: []string{"tree", "json"}, tree: newTree(v)}
	if t, ok := findTable(v); ok {
		p.modes = []string{"table", "tree", "json"}
		p.info = fmt.Sprintf("%d rows", len(t.rows))
		if t.name != "" {
			p.info = fmt.Sprintf("%d %s", len(t.rows), broker.CleanLine(t.name))
		}
	}
	p.draw = func(mode string, width int, l *look) []string { return drawJSON(v, mode, width, l, len(text)) }
	return p
}

func rawPart(raw json.RawMessage) *part {
	v, err := parseServerJSON(raw)
	if err != nil {
		p := textPart("Raw", string(raw), "")
		p.info = "no JSON"
		return p
	}
	p := jsonPart("Raw", v, string(raw))
	p.modes, p.info = []string{"json", "tree"}, "result of tools/call"
	return p
}
