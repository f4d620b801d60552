package widget

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"image"
	_ "image/gif"  // their sizes are shown
	_ "image/jpeg" // "
	_ "image/png"  // "
	"strings"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
)

// Part is something of a result that is shown by itself.
type Part struct {
	Title, Info string
	Modes       []string // ways to show it
	Mode        int
	Draw        func(mode string, width int, l *Theme) []string // may take long: for jobs alone

	Text   string // what is copied; empty for nothing
	Data   []byte // what is saved
	Name   string // of the file
	URI    string // what o opens; empty for nothing
	Links  []Link
	Pager          // of the lines that were drawn
	Have   Drawing // what the pager has
	Wanted Drawing // what a job draws
	List           // over links
	Tree   *Tree   // of a JSON value; nil for all else
}

// AsTree is the tree of a part, where that is how it is shown.
func (p *Part) AsTree() *Tree {
	if p.Tree == nil || p.Modes[p.Mode] != "tree" {
		return nil
	}
	return p.Tree
}

type Link struct{ URI, Name, Info string }

// Drawing says how lines were drawn.
type Drawing struct {
	mode, Width int
	style       int // of the look
}

// Drawn is what a job drew.
type Drawn struct {
	Part  *Part
	how   Drawing
	lines []string
}

// Take shows what was drawn, if it is still what is wanted.
func (p *Part) Take(d Drawn) {
	if d.how == p.Wanted {
		top := p.Pager.Top
		if p.Have.mode != d.how.mode {
			top = 0
		}
		p.Have = d.how
		p.Pager.Lines, p.Pager.Top = d.lines, top
	}
}

// Ready is the work of drawing a part for a width, or nil where that is done or under
// way. It may take long: it is for jobs.
func (p *Part) Ready(l *Theme, width int) func() Drawn {
	how := Drawing{p.Mode, width, Shade(l)}
	if p.Wanted == how {
		return nil
	}
	p.Wanted = how
	theme, mode := *l, p.Modes[p.Mode] // a copy: the theme may change meanwhile
	return func() Drawn { return Drawn{p, how, p.Draw(mode, width, &theme)} }
}

// Shade tells themes apart that draw differently.
func Shade(l *Theme) int {
	switch {
	case l.Neutral:
		return 1
	case l.Dark:
		return 2
	}
	return 3
}

// Bounds of what is shown of a text. All of it can be saved.
const (
	MaxShownBytes = 256 << 10
	MaxShownLines = 5000
)

// capped is the beginning of a text that is shown, and whether there is more.
func capped(body string) (string, bool) {
	more := false
	if len(body) > MaxShownBytes {
		body, more = strings.ToValidUTF8(body[:MaxShownBytes], ""), true
	}
	if lines := strings.SplitN(body, "\n", MaxShownLines+1); len(lines) > MaxShownLines {
		body, more = strings.Join(lines[:MaxShownLines], "\n"), true
	}
	return body, more
}

// moreNote ends a body that was cut.
func moreNote(l *Theme, size int) []string {
	return []string{"", l.Warn.Render("… this is the beginning of " + ByteSize(size) + ": w saves all of it")}
}

func ReadContent(c mcpclient.Content) *Part {
	var p *Part
	switch c.Type {
	case "text":
		p = TextPart("Text", c.Text, c.MIMEType)
	case "image", "audio":
		p = mediaPart(c)
	case "resource":
		if len(c.Data) > 0 {
			p = mediaPart(c)
		} else {
			p = TextPart("Resource", c.Text, c.MIMEType)
		}
		p.Title, p.URI = "Resource", c.URI
		p.Name = FileName(c.URI, "")
		p.Info = strings.TrimSpace(text.CleanLine(c.MIMEType) + " " + p.Info)
	default:
		v, err := toolargs.ParseLenient(c.Raw)
		if err != nil {
			v = toolargs.Null
		}
		p = JSONPart(text.CleanLine(c.Type), v, string(c.Raw))
	}
	return p
}

// TextPart is a text, as it is and, where it looks like it, as what it means.
func TextPart(title, body, mime string) *Part {
	p := &Part{Title: title, Info: ByteSize(len(body)), Text: body, Data: []byte(body), Name: "result.txt", Modes: []string{"text"}}
	if trimmed := strings.TrimSpace(body); trimmed != "" && (trimmed[0] == '{' || trimmed[0] == '[') {
		if v, err := toolargs.ParseLenient([]byte(trimmed)); err == nil {
			p = JSONPart(title, v, body)
			p.Modes = append(p.Modes, "text")
			p.Draw = func(mode string, width int, l *Theme) []string {
				if mode == "text" {
					return drawText(body, width, l)
				}
				return drawJSON(v, mode, width, l, len(body))
			}
			return p
		}
	}
	if strings.Contains(mime, "markdown") || looksLikeMarkdown(body) {
		p.Modes, p.Name = []string{"markdown", "text"}, "result.md"
	}
	p.Draw = func(mode string, width int, l *Theme) []string {
		if mode == "markdown" && len(body) <= maxMarkdown {
			return drawMarkdown(body, width, l)
		}
		return drawText(body, width, l)
	}
	return p
}

// AllParts shows several parts one below the other, each as it is shown at first.
func AllParts(parts []*Part) *Part {
	var texts []string
	all := &Part{Title: "All", Info: text.Count(len(parts), "part"), Name: "result.txt", Modes: []string{"text"}}
	for _, p := range parts {
		if p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	all.Text = strings.Join(texts, "\n")
	all.Data = []byte(all.Text)
	all.Draw = func(_ string, width int, l *Theme) []string {
		var lines []string
		for i, p := range parts {
			if i > 0 {
				lines = append(lines, "")
			}
			lines = append(lines, l.Heading.Render(Cut(p.Title, width))+"  "+l.Dim.Render(Cut(p.Info, max(width-len(p.Title)-2, 0))))
			for _, k := range p.Links {
				lines = append(lines, Cut("→ "+text.CleanLine(k.URI)+"  "+k.Name, width))
			}
			if p.Draw != nil {
				lines = append(lines, p.Draw(strings.Replace(p.Modes[0], "tree", "json", 1), width, l)...)
			}
			if len(lines) > MaxShownLines {
				return append(lines[:MaxShownLines], l.Warn.Render("… and more: tab shows each part by itself"))
			}
		}
		return lines
	}
	return all
}

// mediaPart is an image, a sound or other bytes: what they are, and saved on demand.
func mediaPart(c mcpclient.Content) *Part {
	kind := cmp.Or(text.CleanLine(c.MIMEType), "binary")
	p := &Part{Title: "Data", Info: ByteSize(len(c.Data)), Data: c.Data, Modes: []string{"about"}}
	short, ending := kind[strings.LastIndexByte(kind, '/')+1:], ".bin"
	if plain := FileName(short, ""); short != "" && plain == short {
		ending = "." + short
	}
	p.Name = "result" + ending
	facts := []string{kind, ByteSize(len(c.Data))}
	switch {
	case strings.HasPrefix(kind, "image/") || c.Type == "image":
		p.Title, p.Name = "Image", "image"+ending
		if config, format, err := image.DecodeConfig(bytes.NewReader(c.Data)); err == nil {
			size := fmt.Sprintf("%d×%d", config.Width, config.Height)
			facts = append(facts, size+" pixels", format)
			p.Info = size + " " + format
		} else {
			p.Info += " " + short
		}
	case strings.HasPrefix(kind, "audio/") || c.Type == "audio":
		p.Title, p.Name = "Audio", "audio"+ending
		p.Info += " " + short
	}
	p.Draw = func(_ string, width int, l *Theme) []string {
		lines := []string{Cut(strings.Join(facts, ", "), width), "", l.Dim.Render(Cut("w saves it in a file", width))}
		if p.Title != "Data" {
			return lines
		}
		lines = append(lines, "")
		for i := 0; i < len(c.Data) && i < 8*16; i += 16 {
			lines = append(lines, l.Dim.Render(Cut(fmt.Sprintf("%04x  % x", i, c.Data[i:min(i+16, len(c.Data))]), width)))
		}
		return lines
	}
	return p
}

// JSONPart is a JSON value: as a table where it is a list of like objects, as a
// tree, as JSON.
func JSONPart(title string, v *toolargs.Value, body string) *Part {
	p := &Part{Title: title, Info: ByteSize(len(body)), Text: body, Data: []byte(body), Name: "result.json",
		Modes: []string{"tree", "json"}, Tree: newTree(v)}
	if t, ok := findTable(v); ok {
		p.Modes = []string{"table", "tree", "json"}
		p.Info = fmt.Sprintf("%d rows", len(t.rows))
		if t.name != "" {
			p.Info = fmt.Sprintf("%d %s", len(t.rows), text.CleanLine(t.name))
		}
	}
	p.Draw = func(mode string, width int, l *Theme) []string { return drawJSON(v, mode, width, l, len(body)) }
	return p
}

func RawPart(raw json.RawMessage) *Part {
	v, err := toolargs.ParseLenient(raw)
	if err != nil {
		p := TextPart("Raw", string(raw), "")
		p.Info = "no JSON"
		return p
	}
	p := JSONPart("Raw", v, string(raw))
	p.Modes, p.Info = []string{"json", "tree"}, "result of tools/call"
	return p
}
