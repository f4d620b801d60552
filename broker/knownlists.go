package broker

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// KnownList returns the elements of the last known list of a method, as
// "tools/list", for completion: of the command that is meant or, where none is named,
// of the profile's server that was listed last. It starts nothing and asks nobody.
func (b *Broker) KnownList(o Overrides, method string) []json.RawMessage {
	r, err := b.Resolve(o)
	if errors.Is(err, errNoProfile) {
		r.Name, r.Command, r.Cwd = nobodysName, o.Command, o.Cwd
	} else if err != nil {
		return nil
	}
	lists := openLists(b.Paths.StateDir, r)
	if len(r.Command) == 0 {
		lists.path = newest(filepath.Join(b.Paths.StateDir, "lists", r.Name+"-*.json"))
	}
	list, _ := lists.get(method)
	var elements []json.RawMessage
	_ = json.Unmarshal(list, &elements) // nothing known is nothing
	return elements
}

// newest is the file of a pattern that was written last, or empty.
func newest(pattern string) string {
	paths, _ := filepath.Glob(pattern)
	written := func(path string) int64 {
		info, err := os.Stat(path)
		if err != nil {
			return 0
		}
		return info.ModTime().UnixNano()
	}
	if len(paths) == 0 {
		return ""
	}
	return slices.MaxFunc(paths, func(a, b string) int {
		if written(a) < written(b) {
			return -1
		}
		return 1
	})
}
