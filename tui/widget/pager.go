package widget

import (
	"fmt"

	tea "charm.land/bubbletea/v2"
)

// Pager shows lines that were broken before, from an offset on.
type Pager struct {
	Lines  []string
	Top    int
	Height int // as last shown
}

// Set takes other lines. Where it stands stays where it can.
func (p *Pager) Set(lines []string) {
	p.Lines = lines
	p.Scroll(0)
}

func (p *Pager) Scroll(by int) {
	p.Top = min(max(p.Top+by, 0), max(len(p.Lines)-p.Height, 0))
}

// Key scrolls by a key, and reports whether it is one of these.
func (p *Pager) Key(key string) bool {
	switch key {
	case "up", "k":
		p.Scroll(-1)
	case "down", "j":
		p.Scroll(1)
	case "pgup", "ctrl+b":
		p.Scroll(1 - p.Height)
	case "pgdown", "ctrl+f", "space":
		p.Scroll(p.Height - 1)
	case "home", "g":
		p.Top = 0
	case "end", "G":
		p.Scroll(len(p.Lines))
	default:
		return false
	}
	return true
}

// View is the lines that fit. The last one tells how much there is below.
func (p *Pager) View(height int) []string {
	p.Height = height
	p.Scroll(0)
	if height <= 0 {
		return nil
	}
	end := min(p.Top+height, len(p.Lines))
	shown := append([]string(nil), p.Lines[p.Top:end]...)
	if rest := len(p.Lines) - end; rest > 0 && height > 3 {
		shown[len(shown)-1] = fmt.Sprintf("↓ %d more lines", rest+1)
	}
	return shown
}

// SideBindings are the bindings of a pager that stands beside a list, which has the arrows.
func (p *Pager) SideBindings(down, up []string) []Binding {
	return []Binding{
		{Keys: down, Help: "scroll the detail down", Act: func() Action { p.Scroll(3); return nil }},
		{Keys: up, Help: "scroll the detail up", Act: func() Action { p.Scroll(-3); return nil }},
	}
}

// Bindings are those of scrolling, for help and palette.
func (p *Pager) Bindings() []Binding {
	step := func(key string) func() Action { return func() Action { p.Key(key); return nil } }
	return append([]Binding{
		Bind("up k", "", "up", step("up")),
		Bind("down j", "", "down", step("down")),
	}, p.Pages()...)
}

// Pages are the bindings of scrolling by more than a line.
func (p *Pager) Pages() []Binding {
	step := func(key string) func() Action { return func() Action { p.Key(key); return nil } }
	return []Binding{
		Bind("pgup ctrl+b", "", "a page up", step("pgup")),
		Bind("pgdown ctrl+f space", "", "a page down", step("pgdown")),
		Bind("home g", "", "to the top", step("home")),
		Bind("end G", "", "to the end", step("end")),
	}
}

// wheelStep is how many lines a wheel message means.
const wheelStep = 3

// Wheeled is the number of lines that a wheel message means; down is positive.
func Wheeled(msg tea.MouseWheelMsg) int {
	switch msg.Button {
	case tea.MouseWheelUp:
		return -wheelStep
	case tea.MouseWheelDown:
		return wheelStep
	}
	return 0
}
