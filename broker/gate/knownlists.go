package gate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/mcpauth/mcpauth/broker/relay"
)

// KnownList returns the elements of the last known list of a method, as
// "tools/list": of the command or, where none is named, of the profile's server that
// was listed last. It starts nothing.
func KnownList(p Place, method string) []json.RawMessage {
	lists := openLists(p)
	if len(p.Command) == 0 {
		lists.path = newest(filepath.Join(p.StateDir, "lists", p.Profile+"-*.json"))
	}
	list, _ := lists.get(method)
	var elements []json.RawMessage
	_ = relay.DecodeStrict(list, &elements) // nothing known is nothing
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
