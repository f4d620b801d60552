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
	saving bool // one writing at a time, so that the last one is the last
	again  bool // something has changed since it began
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
			return nil // without them the list is in the server's own order
		}
		return favouritesRead{names}
	})
}

func (f *favourites) take(names []string) {
	f.liked = map[string]bool{}
	for _, name := range names {
		f.liked[name] = true
	}
}

// toggle puts a tool first, or not any more, and keeps that.
func (f *favourites) toggle(w *world, name string) action {
	if f.liked[name] {
		delete(f.liked, name)
	} else {
		f.liked[name] = true
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
