package broker

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// PinChange is a tool whose definition is not the one that was approved.
type PinChange struct {
	Server string   `json:"server"`
	Tool   string   `json:"tool"`
	State  string   `json:"state"` // new, changed or gone
	Diff   []string `json:"diff"`  // lines of the definition, with "+ ", "- " or "  " before each

	files           pinFiles
	approved, found json.RawMessage // definitions; nil when it is new, or gone
}

// PinChanges lists what the servers of a profile changed since their tools were
// approved, as running proxies saw it last. Errors are *Problem.
func (b *Broker) PinChanges(r Resolved) ([]PinChange, error) {
	changes, err := b.pinChanges(r)
	for i, change := range changes {
		changes[i].Diff = diffLines(indented(change.approved), indented(change.found))
	}
	return changes, err
}

// pinChanges is PinChanges without the differences, which take long.
func (b *Broker) pinChanges(r Resolved) ([]PinChange, error) {
	paths, err := filepath.Glob(filepath.Join(b.Paths.StateDir, "pins", "*"+seenSuffix))
	if err != nil {
		return nil, AsProblem(err)
	}
	var changes []PinChange
	for _, path := range paths {
		base := strings.TrimSuffix(path, seenSuffix)
		// A name is followed by "-" and 16 digits, and may have both in itself.
		if name := filepath.Base(base); len(name) != len(r.Name)+17 || !strings.HasPrefix(name, r.Name+"-") {
			continue
		}
		some, err := changesOf(pinFiles{approved: base + ".json", seen: path})
		if err != nil {
			return nil, unreadable(path, err)
		}
		changes = append(changes, some...)
	}
	return changes, nil
}

func changesOf(files pinFiles) ([]PinChange, error) {
	seen, err := readPins(files.seen)
	if err != nil {
		return nil, err
	}
	approved, err := readPins(files.approved)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range seen.Tools {
		names[name] = true
	}
	for name := range approved.Tools {
		names[name] = true
	}
	var changes []PinChange
	for _, name := range slices.Sorted(maps.Keys(names)) {
		now, there := seen.Tools[name]
		state := stateOf(approved.Tools, name, now)
		switch {
		case state == "":
			continue
		case !there:
			state = pinGone
		}
		changes = append(changes, PinChange{
			Server: seen.Server, Tool: name, State: state,
			files: files, approved: approved.Tools[name], found: now,
		})
	}
	return changes, nil
}

// Approve makes the definitions of these changes the approved ones. Running
// proxies follow within a second. Errors are *Problem.
func (b *Broker) Approve(changes []PinChange) error {
	byFile := map[pinFiles][]PinChange{}
	for _, change := range changes {
		byFile[change.files] = append(byFile[change.files], change)
	}
	for files, some := range byFile {
		approved, err := readPins(files.approved)
		if err != nil {
			return unreadable(files.approved, err)
		}
		if approved.Tools == nil {
			approved.Tools = map[string]json.RawMessage{}
		}
		for _, change := range some {
			approved.Server = change.Server
			if change.State == pinGone {
				delete(approved.Tools, change.Tool)
				continue
			}
			approved.Tools[change.Tool] = change.found
		}
		if err := files.write(files.approved, approved); err != nil {
			return unwritable(files.approved, err)
		}
	}
	return nil
}

func indented(definition json.RawMessage) []string {
	var text bytes.Buffer
	if definition == nil || json.Indent(&text, definition, "", "  ") != nil {
		return nil
	}
	return strings.Split(text.String(), "\n")
}

// maxDiff bounds the lines that are compared one by one: of longer texts all
// lines count as changed.
const maxDiff = 2000

// diffLines is the shortest way from one list of lines to another.
func diffLines(before, after []string) []string {
	var diff []string
	if len(before) > maxDiff || len(after) > maxDiff {
		for _, line := range before {
			diff = append(diff, "- "+line)
		}
		for _, line := range after {
			diff = append(diff, "+ "+line)
		}
		return diff
	}
	// common[i][j] is how many lines before[i:] and after[j:] share in order.
	common := make([][]int, len(before)+1)
	for i := range common {
		common[i] = make([]int, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			if before[i] == after[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(before) || j < len(after) {
		switch {
		case i < len(before) && j < len(after) && before[i] == after[j]:
			diff = append(diff, "  "+before[i])
			i, j = i+1, j+1
		case i < len(before) && (j == len(after) || common[i+1][j] >= common[i][j+1]):
			diff = append(diff, "- "+before[i])
			i++
		default:
			diff = append(diff, "+ "+after[j])
			j++
		}
	}
	return diff
}
