package widget

import (
	"context"
	"encoding/json"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
)

// Viewer is texts and other parts from the server, to be read. Breaking and
// colouring them takes its time for large ones, so a job does it.
type Viewer struct {
	Parts []mcpclient.Content
	Whole json.RawMessage // the message that they came in
	Raw   bool            // show that
	Heads bool            // each part has a heading
	Pager
	Width   int // that the lines are broken for; 0 before they are
	setting *Job
}

// Lines is the lines of a document, for a width.
type Lines struct {
	of    *Viewer
	lines []string
	width int
}

// set breaks the document for a width.
func (d *Viewer) Typeset(l *Theme, width int) Action {
	d.setting.Stop()
	parts, raw, heads := d.Parts, d.Raw, d.Heads
	if raw {
		parts = []mcpclient.Content{{Type: "text", MIMEType: "application/json", Text: string(d.Whole)}}
	}
	// A copy: the look may change meanwhile.
	look, of := *l, d
	d.setting = Run(func(ctx context.Context) tea.Msg {
		var lines []string
		for i, part := range parts {
			if heads {
				if i > 0 {
					lines = append(lines, "")
				}
				lines = append(lines, look.Heading.Render(Cut(partName(part), width)))
			}
			lines = append(lines, partLines(&look, part, width)...)
			if ctx.Err() != nil {
				return nil
			}
			if len(lines) > MaxShownLines {
				lines = append(lines[:MaxShownLines], look.Warn.Render("… and more; w saves all of it"))
				break
			}
		}
		return Lines{of, lines, width}
	})
	return d.setting
}

// Take keeps lines that were broken, where they are this document's.
func (d *Viewer) Take(set Lines) {
	if set.of == d {
		d.Lines, d.Width = set.lines, set.width
	}
}

// partName says what a part is.
func partName(c mcpclient.Content) string {
	words := []string{text.CleanLine(c.Type)}
	for _, word := range []string{c.Name, c.URI, c.MIMEType} {
		if word != "" {
			words = append(words, text.CleanLine(word))
		}
	}
	return strings.Join(append(words, ByteSize(max(len(c.Text), len(c.Data)))), " · ")
}

// partLines is one part as lines. What a server calls plain is not taken for
// markdown or JSON.
func partLines(l *Theme, c mcpclient.Content, width int) []string {
	if c.Type == "resource_link" {
		return []string{"→ " + text.CleanLine(c.URI)}
	}
	if len(c.Data) > 0 || c.Text == "" && c.Type != "text" {
		return mediaPart(c).Draw("", width, l)
	}
	p := TextPart("", c.Text, c.MIMEType)
	mode := p.Modes[0]
	switch {
	case mode == "markdown" && !strings.Contains(c.MIMEType, "markdown"):
		mode = "text"
	case p.Tree != nil && c.MIMEType != "" && !strings.Contains(c.MIMEType, "json"):
		mode = "text"
	case p.Tree != nil:
		mode = "json"
	}
	return p.Draw(mode, width, l)
}

// Size is how much came, in bytes.
func (d *Viewer) Size() (size int) {
	for _, part := range d.Parts {
		size += max(len(part.Text), len(part.Data))
	}
	return size
}

// Saved is what a document is saved as: its one part, or the whole message.
func (d *Viewer) Saved(name string) SaveFile {
	if len(d.Parts) == 1 && !d.Raw {
		part := d.Parts[0]
		ending := ".txt"
		if len(part.Data) > 0 {
			ending = ".bin"
		} else if strings.Contains(part.MIMEType, "json") {
			ending = ".json"
		} else if strings.Contains(part.MIMEType, "markdown") {
			ending = ".md"
		}
		if len(part.Data) > 0 {
			return SaveFile{FileName(name, ending), part.Data}
		}
		return SaveFile{FileName(name, ending), []byte(part.Text)}
	}
	return SaveFile{FileName(name, ".json"), d.Whole}
}

// Text is all the text of a document, for the clipboard.
func (d *Viewer) Text() string {
	if d.Raw {
		return string(d.Whole)
	}
	var texts []string
	for _, part := range d.Parts {
		if part.Text != "" {
			texts = append(texts, part.Text)
		}
	}
	return strings.Join(texts, "\n")
}
