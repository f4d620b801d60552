package tui

import (
	"fmt"
	"html"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// theme is a terminal's own colours, for what has none.
type theme struct{ paper, ink string }

var (
	dark  = theme{"#16161e", "#c0caf5"}
	light = theme{"#fafafa", "#1f2335"}
)

// cell sizes of a monospaced font, in pixels.
const (
	cellWidth  = 8.4
	cellHeight = 18
	margin     = 14
)

// pen is how text looks.
type pen struct {
	theme
	fg, bg                 string
	bold, dim, rev, underl bool
}

// picture makes an SVG of what `tmux capture-pane -e` gives.
func picture(capture string, width, height int, colours theme) string {
	var b strings.Builder
	w, h := float64(width)*cellWidth+2*margin, height*cellHeight+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0f %d">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", colours.paper)
	fmt.Fprintf(&b, `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" xml:space="preserve">`+"\n")
	for row, line := range strings.Split(strings.TrimRight(capture, "\n"), "\n") {
		p, column := pen{theme: colours}, 0
		for line != "" {
			if sgr, rest, ok := styled(line); ok {
				p = p.after(sgr)
				line = rest
				continue
			}
			end := strings.IndexByte(line, 0x1b)
			if end < 0 {
				end = len(line)
			}
			column = p.draw(&b, line[:end], column, row)
			line = line[end:]
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// styled cuts a sequence that changes how text looks off the front of a line.
func styled(line string) (parameters, rest string, ok bool) {
	if !strings.HasPrefix(line, "\x1b[") {
		return "", line, false
	}
	parameters, rest, ok = strings.Cut(line[2:], "m")
	return parameters, rest, ok
}

// draw writes a text that looks the same, and returns the column behind it.
func (p pen) draw(b *strings.Builder, text string, column, row int) int {
	width := ansi.StringWidth(text)
	fg, bg := p.fg, p.bg
	if fg == "" {
		fg = p.ink
	}
	if p.rev {
		fg, bg = p.paper, fg
	}
	x, y := margin+float64(column)*cellWidth, margin+row*cellHeight
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", x, y, float64(width)*cellWidth, cellHeight, bg)
	}
	if strings.TrimSpace(text) == "" {
		return column + width
	}
	attributes := ""
	if p.bold {
		attributes += ` font-weight="bold"`
	}
	if p.dim {
		attributes += ` opacity="0.6"`
	}
	if p.underl {
		attributes += ` text-decoration="underline"`
	}
	// Each word stands at its own column, so that no font moves another.
	for text != "" {
		word := strings.TrimLeft(text, " ")
		column += len(text) - len(word)
		end := strings.Index(word, "  ")
		if end < 0 {
			end = len(word)
		}
		if shown := strings.TrimRight(word[:end], " "); shown != "" {
			cells := ansi.StringWidth(shown)
			fmt.Fprintf(b, `<text x="%.1f" y="%d" textLength="%.1f" fill="%s"%s>%s</text>`+"\n", margin+float64(column)*cellWidth, y+13, float64(cells)*cellWidth, fg, attributes, html.EscapeString(shown))
			column += ansi.StringWidth(word[:end])
		}
		text = word[end:]
	}
	return column
}

// after is the pen after a sequence.
func (p pen) after(parameters string) pen {
	codes := strings.FieldsFunc(parameters, func(r rune) bool { return r == ';' || r == ':' })
	if len(codes) == 0 {
		return pen{theme: p.theme}
	}
	for i := 0; i < len(codes); i++ {
		n, _ := strconv.Atoi(codes[i])
		switch {
		case n == 0:
			p = pen{theme: p.theme}
		case n == 1:
			p.bold = true
		case n == 2:
			p.dim = true
		case n == 4:
			p.underl = true
		case n == 7:
			p.rev = true
		case n == 22:
			p.bold, p.dim = false, false
		case n == 24:
			p.underl = false
		case n == 27:
			p.rev = false
		case n == 39:
			p.fg = ""
		case n == 49:
			p.bg = ""
		case (n == 38 || n == 48) && i+4 < len(codes) && codes[i+1] == "2":
			colour := fmt.Sprintf("#%02x%02x%02x", number(codes[i+2]), number(codes[i+3]), number(codes[i+4]))
			if n == 38 {
				p.fg = colour
			} else {
				p.bg = colour
			}
			i += 4
		case (n == 38 || n == 48) && i+2 < len(codes) && codes[i+1] == "5":
			colour := indexed(number(codes[i+2]))
			if n == 38 {
				p.fg = colour
			} else {
				p.bg = colour
			}
			i += 2
		case n >= 30 && n <= 37:
			p.fg = sixteen[n-30]
		case n >= 90 && n <= 97:
			p.fg = sixteen[n-90]
		}
	}
	return p
}

var sixteen = []string{"#414868", "#f7768e", "#9ece6a", "#e0af68", "#7aa2f7", "#bb9af7", "#7dcfff", "#c0caf5"}

// indexed is one of xterm's 256 colours.
func indexed(n int) string {
	switch {
	case n < 16:
		return sixteen[n%8]
	case n >= 232:
		return fmt.Sprintf("#%02[1]x%02[1]x%02[1]x", 8+10*(n-232))
	}
	level := func(i int) int { return []int{0, 95, 135, 175, 215, 255}[i] }
	n -= 16
	return fmt.Sprintf("#%02x%02x%02x", level(n/36), level(n/6%6), level(n%6))
}

func number(text string) int { n, _ := strconv.Atoi(text); return n }
