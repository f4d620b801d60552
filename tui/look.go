package tui

import (
	"image/color"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// look is how things look: one style for each meaning. Colour is never the only
// sign of anything.
type look struct {
	dark, neutral bool
	ascii         bool // the terminal shows nothing but ASCII

	plain, accent, heading, strong, dim, good, warn, bad lipgloss.Style
	key, chosen, chosenDim, tab, border, match           lipgloss.Style
}

// palette is the colours of a look.
type palette struct{ accent, dim, good, warn, bad, chosen, border color.Color }

// The colours. neutral stands in until the terminal has told its background, and
// where it never does: those sixteen that terminals adapt themselves.
var (
	onDark = palette{
		accent: lipgloss.Color("#7AA2F7"), dim: lipgloss.Color("#8A93B2"), good: lipgloss.Color("#9ECE6A"), warn: lipgloss.Color("#E0AF68"),
		bad: lipgloss.Color("#F7768E"), chosen: lipgloss.Color("#3B3F5C"), border: lipgloss.Color("#4A5170"),
	}
	onLight = palette{
		accent: lipgloss.Color("#1D4ED8"), dim: lipgloss.Color("#5B6275"), good: lipgloss.Color("#2F7D1B"), warn: lipgloss.Color("#8F5E00"),
		bad: lipgloss.Color("#B4232F"), chosen: lipgloss.Color("#DCE6FF"), border: lipgloss.Color("#A9AFC0"),
	}
	neutral = palette{
		accent: lipgloss.Cyan, dim: lipgloss.NoColor{}, good: lipgloss.Green, warn: lipgloss.Yellow, bad: lipgloss.Red,
		border: lipgloss.NoColor{},
	}
)

// newLook is the neutral look for the environment of a terminal.
func newLook(env func(string) string) *look {
	l := &look{neutral: true, ascii: !utf8Locale(env) || env("TERM") == "dumb"}
	l.paint(neutral)
	return l
}

// utf8Locale reports whether the locale is one of UTF-8. Windows has no such
// variables, and its terminals know UTF-8.
func utf8Locale(env func(string) string) bool {
	if env("OS") == "Windows_NT" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(env(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}

// onBackground takes the colours for a dark or a light terminal.
func (l *look) onBackground(dark bool) {
	l.dark, l.neutral = dark, false
	if dark {
		l.paint(onDark)
	} else {
		l.paint(onLight)
	}
}

func (l *look) paint(p palette) {
	plain := lipgloss.NewStyle()
	l.plain = plain
	l.strong = plain.Bold(true)
	l.accent = plain.Foreground(p.accent)
	l.heading = plain.Foreground(p.accent).Bold(true)
	l.dim = plain.Foreground(p.dim)
	l.good, l.warn, l.bad = plain.Foreground(p.good), plain.Foreground(p.warn), plain.Foreground(p.bad)
	l.key = plain.Foreground(p.accent).Bold(true)
	l.tab = plain.Foreground(p.accent).Bold(true)
	l.match = plain.Foreground(p.accent).Bold(true).Underline(true)
	l.border = plain.Foreground(p.border)
	l.chosen = plain.Bold(true)
	l.chosenDim = plain.Foreground(p.dim)
	if p.chosen != nil {
		l.chosen = l.chosen.Background(p.chosen)
		l.chosenDim = l.chosenDim.Background(p.chosen)
	}
	if l.neutral {
		l.dim, l.border = plain.Faint(true), plain.Faint(true)
	}
}

// signs are what the interface is drawn with, and what stands for them in ASCII.
// All are one cell wide, so that nothing moves.
var signs = strings.NewReplacer(
	"●", "*", "○", "o", "◉", "@", "✓", "+", "✗", "x", "▸", ">", "‖", "=", "▾", "v", "▪", "#", "•", "*", "·", ".",
	"│", "|", "┃", "|", "─", "-", "━", "=", "╭", "+", "╮", "+", "╰", "+", "╯", "+", "├", "+", "┤", "+", "└", "+",
	"…", "~", "→", ">", "←", "<", "↑", "^", "↓", "v", "×", "x", "‹", "<", "›", ">", "—", "-", "–", "-",
	"▁", "_", "▂", "_", "▃", ".", "▄", "-", "▅", "-", "▆", "=", "▇", "=", "█", "#", "░", ".", "“", `"`, "”", `"`, "’", "'",
)

// inASCII is a view for a terminal that shows ASCII alone: a text's other
// characters are question marks of the same width.
func inASCII(view string) string {
	var b strings.Builder
	for _, r := range signs.Replace(view) {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Repeat("?", ansi.StringWidth(string(r))))
		}
	}
	return b.String()
}
