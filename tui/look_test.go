package tui

import (
	"fmt"
	"image/color"
	"math"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/mcpauth/mcpauth/tui/widget"
)

// luminance and contrast are those of the Web Content Accessibility Guidelines 2.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	part := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*part(r) + 0.7152*part(g) + 0.0722*part(b)
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Every text can be read on the backgrounds that terminals have (4.5 is what the
// guidelines ask for), and the chosen line can be told from the others.
func TestPalettesCanBeRead(t *testing.T) {
	for name, one := range map[string]struct {
		palette     widget.Palette
		text        string
		backgrounds []string
	}{
		"dark":  {widget.OnDark, "#c0caf5", []string{"#000000", "#16161e", "#1e1e1e", "#282a36", "#002b36"}},
		"light": {widget.OnLight, "#1f2335", []string{"#ffffff", "#fafafa", "#fdf6e3", "#f4f4f4"}},
	} {
		for _, background := range one.backgrounds {
			for what, c := range map[string]color.Color{
				"accent": one.palette.Accent, "dim": one.palette.Dim, "good": one.palette.Good, "warn": one.palette.Warn, "bad": one.palette.Bad,
			} {
				if n := contrast(c, lipgloss.Color(background)); n < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.1f", name, what, background, n)
				}
			}
			if n := contrast(one.palette.Border, lipgloss.Color(background)); n < 1.5 {
				t.Errorf("%s: the border on %s has a contrast of %.1f", name, background, n)
			}
		}
		if n := contrast(lipgloss.Color(one.text), one.palette.Chosen); n < 4.5 {
			t.Errorf("%s: the chosen line has a contrast of %.1f", name, n)
		}
	}
}

// The terminal's background decides on the colours of every screen, whenever it
// tells of it; T takes the others.
func TestPalettes(t *testing.T) {
	paint := func(c color.Color) string {
		r, g, b, _ := c.RGBA()
		return fmt.Sprintf("38;2;%d;%d;%d", r>>8, g>>8, b>>8)
	}
	for _, tab := range TabNames() {
		b := newBench(t, func(o *Options, h *fakeHome, _ *fakeServer) { o.Tab = tab; writeAudit(t, h.audit) })
		b.until("● signed in")
		b.settle()
		shows := func(when string, yes, no widget.Palette) {
			t.Helper()
			view := b.m.View().Content
			if !strings.Contains(view, paint(yes.Accent)) || strings.Contains(view, paint(no.Accent)) || strings.Contains(view, paint(no.Good)) {
				t.Errorf("%s, %s: other colours are shown:\n%q", tab, when, view)
			}
		}
		if view := b.m.View().Content; strings.Contains(view, "38;2;") {
			t.Errorf("%s: colours of our own before the terminal told its background", tab)
		}
		b.send(tea.BackgroundColorMsg{Color: color.White})
		b.settle()
		shows("on white", widget.OnLight, widget.OnDark)
		b.send(tea.BackgroundColorMsg{Color: color.Black})
		b.settle()
		shows("on black", widget.OnDark, widget.OnLight)
		b.press("T")
		b.settle()
		shows("after T", widget.OnLight, widget.OnDark)
	}
}
