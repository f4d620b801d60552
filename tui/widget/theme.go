package widget

import (
	"image/color"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Theme is how things theme: one style for each meaning. Colour is never the only
// sign of anything.
type Theme struct {
	Dark, Neutral bool
	ASCII         bool // the terminal shows nothing but ASCII

	Plain, Accent, Heading, Strong, Dim, Good, Warn, Bad lipgloss.Style
	Key, Chosen, chosenDim, Tab, Border, Match           lipgloss.Style
}

// Palette is the colours of a look.
type Palette struct{ Accent, Dim, Good, Warn, Bad, Chosen, Border color.Color }

// The colours. neutral stands in until the terminal has reported its background, and
// where it never does: those sixteen that terminals adapt themselves.
var (
	OnDark = Palette{
		Accent: lipgloss.Color("#7AA2F7"), Dim: lipgloss.Color("#8A93B2"), Good: lipgloss.Color("#9ECE6A"), Warn: lipgloss.Color("#E0AF68"),
		Bad: lipgloss.Color("#F7768E"), Chosen: lipgloss.Color("#3B3F5C"), Border: lipgloss.Color("#4A5170"),
	}
	OnLight = Palette{
		Accent: lipgloss.Color("#1D4ED8"), Dim: lipgloss.Color("#5B6275"), Good: lipgloss.Color("#2F7D1B"), Warn: lipgloss.Color("#8F5E00"),
		Bad: lipgloss.Color("#B4232F"), Chosen: lipgloss.Color("#DCE6FF"), Border: lipgloss.Color("#A9AFC0"),
	}
	neutral = Palette{
		Accent: lipgloss.Cyan, Dim: lipgloss.NoColor{}, Good: lipgloss.Green, Warn: lipgloss.Yellow, Bad: lipgloss.Red,
		Border: lipgloss.NoColor{},
	}
)

// NewTheme is the neutral look for the environment of a terminal.
func NewTheme(env func(string) string) *Theme {
	l := &Theme{Neutral: true, ASCII: !utf8Locale(env) || env("TERM") == "dumb"}
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

// OnBackground takes the colours for a dark or a light terminal.
func (l *Theme) OnBackground(dark bool) {
	l.Dark, l.Neutral = dark, false
	if dark {
		l.paint(OnDark)
	} else {
		l.paint(OnLight)
	}
}

func (l *Theme) paint(p Palette) {
	plain := lipgloss.NewStyle()
	l.Plain = plain
	l.Strong = plain.Bold(true)
	l.Accent = plain.Foreground(p.Accent)
	l.Heading = plain.Foreground(p.Accent).Bold(true)
	l.Dim = plain.Foreground(p.Dim)
	l.Good, l.Warn, l.Bad = plain.Foreground(p.Good), plain.Foreground(p.Warn), plain.Foreground(p.Bad)
	l.Key = plain.Foreground(p.Accent).Bold(true)
	l.Tab = plain.Foreground(p.Accent).Bold(true)
	l.Match = plain.Foreground(p.Accent).Bold(true).Underline(true)
	l.Border = plain.Foreground(p.Border)
	l.Chosen = plain.Bold(true)
	l.chosenDim = plain.Foreground(p.Dim)
	if p.Chosen != nil {
		l.Chosen = l.Chosen.Background(p.Chosen)
		l.chosenDim = l.chosenDim.Background(p.Chosen)
	}
	if l.Neutral {
		l.Dim, l.Border = plain.Faint(true), plain.Faint(true)
	}
}

// ByLevel is the style for a level of MCP logging.
func (l *Theme) ByLevel(level string) lipgloss.Style {
	switch level {
	case "error", "critical", "alert", "emergency":
		return l.Bad
	case "warning":
		return l.Warn
	}
	return l.Dim
}

// signs are what the interface is drawn with, and what stands for them in ASCII.
// All are one cell wide, so that nothing moves.
var signs = strings.NewReplacer(
	"●", "*", "○", "o", "◉", "@", "✓", "+", "✗", "x", "▸", ">", "‖", "=", "▾", "v", "▪", "#", "•", "*", "·", ".",
	"│", "|", "┃", "|", "─", "-", "━", "=", "╭", "+", "╮", "+", "╰", "+", "╯", "+", "├", "+", "┤", "+", "└", "+",
	"…", "~", "→", ">", "←", "<", "↑", "^", "↓", "v", "×", "x", "‹", "<", "›", ">", "—", "-", "–", "-",
	"▁", "_", "▂", "_", "▃", ".", "▄", "-", "▅", "-", "▆", "=", "▇", "=", "█", "#", "░", ".", "“", `"`, "”", `"`, "’", "'",
)

// InASCII is a view for a terminal that shows ASCII alone: a text's other
// characters are question marks of the same width.
func InASCII(view string) string {
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
