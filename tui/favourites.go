package tui

import (
	"context"
	"maps"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/mcpauth/mcpauth/broker"
)

// favourites are the tools that a person has put first. They outlive the session.
type favourites struct {
	liked  map[string]bool
	read   bool
	early  []string // those that were toggled before the others were read
	saving bool     // one writing at a time, so that the last one is the last
	again  bool     // something has changed since it began
}

type (
	favouritesRead  struct{ names []string }
	favouritesSaved struct{ err error }
)

// readFavourites gets those of the server that was connected.
func (w *world) readFavourites() action {
	home, overrides := w.Home, w.Overrides
	return run(func(context.Context) tea.Msg {
		names, err := home.Favourites(overrides)
		if err != nil {
			names = nil // without them the list is in the server's own order
		}
		return favouritesRead{names}
	})
}

// take keeps those that were read, and does to them what was done meanwhile.
func (f *favourites) take(w *world, names []string) action {
	f.liked, f.read = map[string]bool{}, true
	for _, name := range names {
		f.liked[name] = true
	}
	early := f.early
	if f.early = nil; len(early) == 0 {
		return nil
	}
	for _, name := range early {
		f.flip(name)
	}
	return f.save(w)
}

func (f *favourites) flip(name string) {
	if f.liked[name] {
		delete(f.liked, name)
	} else {
		f.liked[name] = true
	}
}

// toggle puts a tool first, or not any more, and keeps that.
func (f *favourites) toggle(w *world, name string) action {
	if f.flip(name); !f.read {
		f.early = append(f.early, name)
		return nil
	}
	return f.save(w)
}

func (f *favourites) save(w *world) action {
	if f.saving {
		f.again = true
		return nil
	}
	f.saving, f.again = true, false
	home, overrides, names := w.Home, w.Overrides, slices.Sorted(maps.Keys(f.liked))
	return run(func(context.Context) tea.Msg { return favouritesSaved{home.SetFavourites(overrides, names)} })
}

func (f *favourites) saved(w *world, err error) action {
	f.saving = false
	if err != nil {
		return notice{bad, "the favourites are not kept: " + broker.AsProblem(err).Msg}
	}
	if f.again {
		return f.save(w)
	}
	return nil
}
