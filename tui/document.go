package tui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"charm.land/glamour/v2"
	"charm.land/glamour/v2/ansi"
	"charm.land/glamour/v2/styles"

	"github.com/mcpauth/mcpauth/broker"
)

// document is texts and other parts from the server, to be read. Breaking and
// colouring them takes its time for large ones, so a job does it.
type document struct {
	parts []broker.Content
	whole json.RawMessage // the message that they came in
	raw   bool            // show that
	heads bool            // each part has a heading
	pager
	width   int // that the lines are broken for; 0 before they are
	setting *job
}

// documentSet is the lines of a document, for a width.
type documentSet struct {
	of    *document
	lines []string
	width int
}

const (
	maxShown = 256 << 10 // bytes of one part that are shown; all can be saved
	maxLines = 5000      // of one document
)

// set breaks the document for a width.
func (d *document) typeset(l *look, width int) action {
	d.setting.stop()
	parts, raw, heads, dark := d.parts, d.raw, d.heads, l.dark
	if raw {
		parts = []broker.Content{{Type: "text", MIMEType: "application/json", Text: string(d.whole)}}
	}
	// A copy: the look may be painted anew meanwhile.
	look, of := *l, d
	d.setting = run(func(ctx context.Context) tea.Msg {
		var lines []string
		for i, part := range parts {
			if heads {
				if i > 0 {
					lines = append(lines, "")
				}
				lines = append(lines, look.heading.Render(cut(partName(part), width)))
			}
			lines = append(lines, partLines(&look, part, width, dark)...)
			if ctx.Err() != nil {
				return nil
			}
			if len(lines) > maxLines {
				lines = append(lines[:maxLines], look.warn.Render("… and more; w saves all of it"))
				break
			}
		}
		return documentSet{of, lines, width}
	})
	return d.setting
}

// take keeps lines that were broken, where they are this document's.
func (d *document) take(set documentSet) {
	if set.of == d {
		d.lines, d.width = set.lines, set.width
	}
}

// partName says what a part is.
func partName(c broker.Content) string {
	words := []string{broker.CleanLine(c.Type)}
	for _, word := range []string{c.Name, c.URI, c.MIMEType} {
		if word != "" {
			words = append(words, broker.CleanLine(word))
		}
	}
	return strings.Join(append(words, byteSize(max(len(c.Text), len(c.Data)))), " · ")
}

// partLines is one part as lines.
func partLines(l *look, c broker.Content, width int, dark bool) []string {
	switch {
	case len(c.Data) > 0 || c.Text == "" && c.Type != "text":
		return binaryLines(l, c)
	case isJSON(c.MIMEType, c.Text):
		return jsonLines(l, c.Text, width)
	case strings.Contains(c.MIMEType, "markdown"):
		return markdownLines(l, c.Text, width, dark)
	}
	return wrapped(broker.CleanText(shownPart(c.Text)), width)
}

// shownPart is as much of a text as is shown.
func shownPart(text string) string {
	if len(text) <= maxShown {
		return text
	}
	cut := maxShown
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + fmt.Sprintf("\n… %s more; w saves all of it", byteSize(len(text)-cut))
}

func binaryLines(l *look, c broker.Content) []string {
	if c.Type == "resource_link" {
		return []string{"→ " + broker.CleanLine(c.URI)}
	}
	lines := []string{fmt.Sprintf("%s, %s", orWord(broker.CleanLine(c.MIMEType), "binary"), byteSize(len(c.Data)))}
	if len(c.Data) > 0 {
		lines = append(lines, "", l.dim.Render("w saves it in a file"), "")
		for i := 0; i < len(c.Data) && i < 8*16; i += 16 {
			chunk := c.Data[i:min(i+16, len(c.Data))]
			lines = append(lines, l.dim.Render(fmt.Sprintf("%04x  % x", i, chunk)))
		}
	}
	return lines
}

func orWord(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func isJSON(mime, text string) bool {
	return (strings.Contains(mime, "json") || mime == "") && len(text) <= maxShown && len(text) > 1 &&
		strings.ContainsAny(text[:1], "{[") && json.Valid([]byte(text))
}

func jsonLines(l *look, text string, width int) []string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return wrapped(broker.CleanText(shownPart(text)), width)
	}
	var lines []string
	for _, line := range strings.Split(broker.CleanText(shownPart(b.String())), "\n") {
		for _, part := range wrapped(line, width) {
			lines = append(lines, colourJSON(l, part))
		}
	}
	return lines
}

// colourJSON colours the name of a member at the beginning of a line.
func colourJSON(l *look, line string) string {
	trimmed := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(trimmed)]
	if name, rest, ok := strings.Cut(trimmed, `": `); ok && strings.HasPrefix(name, `"`) {
		return indent + l.accent.Render(name+`"`) + ": " + rest
	}
	return line
}

// markdownLines renders markdown. What makes glamour fail is shown as it is.
func markdownLines(l *look, text string, width int, dark bool) []string {
	text = broker.CleanText(shownPart(text))
	style := styles.ASCIIStyleConfig
	switch {
	case l.ascii:
	case l.neutral:
		yes := true
		style.Strong = ansi.StylePrimitive{Bold: &yes}
		style.Emph = ansi.StylePrimitive{Italic: &yes}
	case dark:
		style = styles.DarkStyleConfig
	default:
		style = styles.LightStyleConfig
	}
	margin := uint(0)
	style.Document.Margin = &margin
	style.Document.BlockPrefix, style.Document.BlockSuffix = "", ""
	renderer, err := glamour.NewTermRenderer(glamour.WithStyles(style), glamour.WithWordWrap(width))
	if err != nil {
		return wrapped(text, width)
	}
	rendered, err := renderer.Render(text)
	if err != nil {
		return wrapped(text, width)
	}
	rendered = strings.ReplaceAll(strings.Trim(rendered, "\n"), "\u00a0", " ") // around code
	lines := strings.Split(rendered, "\n")
	for i, line := range lines {
		lines[i] = cut(untab(withoutLinks(line)), width)
	}
	return lines
}

// withoutLinks takes out the sequences by which a renderer makes links (OSC 8):
// a link is shown as text, so that everybody sees where it leads.
func withoutLinks(line string) string {
	for {
		before, rest, found := strings.Cut(line, "\x1b]8;")
		if !found {
			return line
		}
		if end := strings.IndexAny(rest, "\a\x1b"); end < 0 {
			rest = ""
		} else if rest = rest[end:]; rest[0] == '\a' {
			rest = rest[1:]
		} else {
			rest = strings.TrimPrefix(rest[1:], `\`)
		}
		line = before + rest
	}
}

// saved is what a document is saved as: its one part, or the whole message.
func (d *document) saved(name string) saveFile {
	if len(d.parts) == 1 && !d.raw {
		part := d.parts[0]
		ending := ".txt"
		if len(part.Data) > 0 {
			ending = ".bin"
		} else if strings.Contains(part.MIMEType, "json") {
			ending = ".json"
		} else if strings.Contains(part.MIMEType, "markdown") {
			ending = ".md"
		}
		if len(part.Data) > 0 {
			return saveFile{fileName(name, ending), part.Data}
		}
		return saveFile{fileName(name, ending), []byte(part.Text)}
	}
	return saveFile{fileName(name, ".json"), d.whole}
}

// text is all the text of a document, for the clipboard.
func (d *document) text() string {
	if d.raw {
		return string(d.whole)
	}
	var texts []string
	for _, part := range d.parts {
		if part.Text != "" {
			texts = append(texts, part.Text)
		}
	}
	return strings.Join(texts, "\n")
}
