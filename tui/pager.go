package tui

import "fmt"

// pager shows lines that were broken before, from an offset on.
type pager struct {
	lines  []string
	top    int
	height int // as last shown
}

// set takes other lines. Where it stands stays where it can.
func (p *pager) set(lines []string) {
	p.lines = lines
	p.scroll(0)
}

func (p *pager) scroll(by int) {
	p.top = min(max(p.top+by, 0), max(len(p.lines)-p.height, 0))
}

// key scrolls by a key, and reports whether it is one of these.
func (p *pager) key(key string) bool {
	switch key {
	case "up", "k":
		p.scroll(-1)
	case "down", "j":
		p.scroll(1)
	case "pgup", "ctrl+b":
		p.scroll(1 - p.height)
	case "pgdown", "ctrl+f", "space":
		p.scroll(p.height - 1)
	case "home", "g":
		p.top = 0
	case "end", "G":
		p.scroll(len(p.lines))
	default:
		return false
	}
	return true
}

// view is the lines that fit. The last one tells how much there is below.
func (p *pager) view(height int) []string {
	p.height = height
	p.scroll(0)
	if height <= 0 {
		return nil
	}
	end := min(p.top+height, len(p.lines))
	shown := append([]string(nil), p.lines[p.top:end]...)
	if rest := len(p.lines) - end; rest > 0 && height > 3 {
		shown[len(shown)-1] = fmt.Sprintf("↓ %d more lines", rest+1)
	}
	return shown
}

// beside are the bindings of a pager that stands beside a list, which has the arrows.
func (p *pager) beside(down, up []string) []binding {
	return []binding{
		{keys: down, help: "scroll the detail down", act: func() action { p.scroll(3); return nil }},
		{keys: up, help: "scroll the detail up", act: func() action { p.scroll(-3); return nil }},
	}
}

// bindings are those of scrolling, for help and palette.
func (p *pager) bindings() []binding {
	step := func(key string) func() action { return func() action { p.key(key); return nil } }
	return append([]binding{
		{keys: []string{"up", "k"}, help: "up", act: step("up")},
		{keys: []string{"down", "j"}, help: "down", act: step("down")},
	}, p.pages()...)
}

// pages are the bindings of scrolling by more than a line.
func (p *pager) pages() []binding {
	step := func(key string) func() action { return func() action { p.key(key); return nil } }
	return []binding{
		{keys: []string{"pgup", "ctrl+b"}, help: "a page up", act: step("pgup")},
		{keys: []string{"pgdown", "ctrl+f", "space"}, help: "a page down", act: step("pgdown")},
		{keys: []string{"home", "g"}, help: "to the top", act: step("home")},
		{keys: []string{"end", "G"}, help: "to the end", act: step("end")},
	}
}
