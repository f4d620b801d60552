package tui

import (
	"context"
	"os"
	"path/filepath"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// perform carries out what a screen wants.
func (m *model) perform(from screen, a action) tea.Cmd {
	switch a := a.(type) {
	case nil:
	case actions:
		var cmds []tea.Cmd
		for _, one := range a {
			cmds = append(cmds, m.perform(from, one))
		}
		return tea.Batch(cmds...)
	case *job:
		return m.start(from, a)
	case notice:
		m.tellUser(a)
	case overlay:
		m.over = append(m.over, a.screen)
		if b, ok := a.screen.(interface{ begin() action }); ok {
			return m.perform(a.screen, b.begin())
		}
	case closed:
		if len(m.over) > 0 {
			m.over[len(m.over)-1].busy().stop()
			m.over = m.over[:len(m.over)-1]
		}
	case showTab:
		m.over = nil
		m.goTo(a.name)
	case readURI:
		return m.perform(from, actions{showTab{"resources"}, m.tabs[2].screen.(*resourcesScreen).open(a.uri)})
	case quit:
		return tea.Quit
	case copyText:
		return m.copy(a)
	case saveFile:
		return m.perform(from, overlay{newSaving(m.world, a)})
	case openURL:
		return m.perform(from, m.askToOpen(a.address))
	case editText:
		return m.edit(from, a)
	default:
		return m.performOwn(a)
	}
	return nil
}

// start runs a job in its own goroutine and context.
func (m *model) start(from screen, j *job) tea.Cmd {
	if j == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(m.ctx)
	j.cancel = cancel
	send := func(msg tea.Msg) {
		select {
		case m.posts <- reply{from, msg}:
		case <-ctx.Done():
			// Whoever stopped it still hears of its end, which is sent below.
		}
	}
	return func() tea.Msg {
		defer cancel()
		last := j.do(ctx, send)
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
func (m *model) copy(a copyText) tea.Cmd {
	m.tellUser(notice{good, "copied " + a.what})
	native := func() tea.Msg { return nil }
	if m.Copy != nil {
		native = func() tea.Msg { _ = m.Copy(a.text); return nil } // a machine may have no clipboard
	}
	return tea.Batch(tea.SetClipboard(a.text), native)
}

// askToOpen opens an address after a question that names it.
func (m *model) askToOpen(address string) action {
	clean, err := broker.ValidateAuthorizeURL(address)
	switch {
	case err != nil:
		return notice{bad, "it is not opened: " + err.Error()}
	case m.Browser == nil:
		return actions{copyText{"the link", clean}, notice{info, "copied the link; there is no browser here"}}
	}
	return overlay{newQuestion(m.world, "Open this page in your browser?", []string{clean}, "open", run(func(ctx context.Context) tea.Msg {
		if err := m.Browser(ctx, clean); err != nil {
			return notice{bad, err.Error()}
		}
		return notice{good, "opened in the browser"}
	}))}
}

// edit lets the person's editor change a text. The file is in a folder of its
// own that only this user can read, and is gone afterwards.
func (m *model) edit(from screen, a editText) tea.Cmd {
	if m.Editor == nil {
		m.tellUser(notice{bad, "there is no editor: set EDITOR"})
		return nil
	}
	editor := m.Editor
	return func() tea.Msg {
		dir, err := os.MkdirTemp("", "mcpauth-")
		if err != nil {
			return posted{from, edited{err: err}}
		}
		file := filepath.Join(dir, "text"+a.ending)
		if err := os.WriteFile(file, []byte(a.text), 0o600); err != nil {
			_ = os.RemoveAll(dir)
			return posted{from, edited{err: err}}
		}
		return tea.Exec(editor(file), func(err error) tea.Msg {
			defer os.RemoveAll(dir)
			if err != nil {
				return posted{from, edited{err: err}}
			}
			data, err := os.ReadFile(file)
			return posted{from, edited{string(data), err}}
		})()
	}
}
