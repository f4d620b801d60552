package tui

import (
	"context"
	"os"
	"path/filepath"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// perform carries out what a screen wants.
func (m *model) perform(from screen.Screen, a widget.Action) tea.Cmd {
	switch a := a.(type) {
	case nil:
	case widget.Actions:
		var cmds []tea.Cmd
		for _, one := range a {
			cmds = append(cmds, m.perform(from, one))
		}
		return tea.Batch(cmds...)
	case *widget.Job:
		return m.start(from, a)
	case widget.Notice:
		m.tellUser(a)
	case screen.Overlay:
		m.over = append(m.over, a.Screen)
		return m.begin(a.Screen)
	case screen.Closed:
		if len(m.over) > 0 {
			m.over[len(m.over)-1].Busy().Stop()
			m.over = m.over[:len(m.over)-1]
		}
	case screen.ShowTab:
		m.over = nil
		m.goTo(string(a))
	case screen.ReadURI:
		return m.perform(from, widget.Actions{screen.ShowTab("resources"), m.reads.Open(string(a))})
	case quit:
		return tea.Quit
	case widget.CopyText:
		return m.copy(a)
	case widget.SaveFile:
		return m.perform(from, screen.Over(newSaving(m.Theme, a)))
	case widget.EditText:
		return m.edit(from, a)
	default:
		return m.performOwn(a)
	}
	return nil
}

// begin lets a screen do what it begins with.
func (m *model) begin(s screen.Screen) tea.Cmd {
	if b, ok := s.(interface{ Begin() widget.Action }); ok {
		return m.perform(s, b.Begin())
	}
	return nil
}

// start runs a job in its own goroutine and context.
func (m *model) start(from screen.Screen, j *widget.Job) tea.Cmd {
	if j == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(m.ctx)
	j.Cancel = cancel
	if j.Waits != "" {
		m.waits = append(m.waits, waiting{ctx, j.Waits, m.Now()})
	}
	send := func(msg tea.Msg) {
		select {
		case m.posts <- reply{from, msg}:
		case <-ctx.Done():
			// Its end is still sent, below.
		}
	}
	return func() tea.Msg {
		defer cancel()
		last := j.Do(ctx, send)
		if last == nil {
			return nil
		}
		// By the same way as what it sent before, so that the order is kept.
		select {
		case m.posts <- reply{from, last}:
		case <-m.ctx.Done():
		}
		return nil
	}
}

// copy puts a text on both clipboards: the terminal's, which may be another
// machine's, and this machine's.
func (m *model) copy(a widget.CopyText) tea.Cmd {
	m.tellUser(widget.Good("copied " + a.What))
	native := func() tea.Msg { return nil }
	if m.options.Copy != nil {
		native = func() tea.Msg { _ = m.options.Copy(a.Text); return nil } // a machine may have no clipboard
	}
	return tea.Batch(tea.SetClipboard(a.Text), native)
}

// edit lets the user's editor change a text. The file is in a folder of its
// own that only this user can read, and is removed afterwards.
func (m *model) edit(from screen.Screen, a widget.EditText) tea.Cmd {
	if m.options.Editor == nil {
		m.tellUser(widget.Bad("there is no editor: set EDITOR"))
		return nil
	}
	editor := m.options.Editor
	return func() tea.Msg {
		dir, err := os.MkdirTemp("", "mcpauth-")
		if err != nil {
			return posted{from, widget.Edited{Err: err}}
		}
		file := filepath.Join(dir, "text"+a.Ending)
		if err := os.WriteFile(file, []byte(a.Text), 0o600); err != nil {
			_ = os.RemoveAll(dir)
			return posted{from, widget.Edited{Err: err}}
		}
		return tea.Exec(editor(file), func(err error) tea.Msg {
			defer os.RemoveAll(dir)
			if err != nil {
				return posted{from, widget.Edited{Err: err}}
			}
			data, err := os.ReadFile(file)
			return posted{from, widget.Edited{Text: string(data), Err: err}}
		})()
	}
}
