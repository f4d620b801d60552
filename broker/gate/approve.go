package gate

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/mcpauth/mcpauth/broker/problem"
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
// approved, as running proxies saw it last. Errors are *problem.Problem.
func PinChanges(stateDir, profile string) ([]PinChange, error) {
	changes, err := pinChanges(stateDir, profile)
	for i, change := range changes {
		changes[i].Diff = diffLines(indented(change.approved), indented(change.found))
	}
	return changes, err
}

// pinChanges is PinChanges without the differences, which take long.
func pinChanges(stateDir, profile string) ([]PinChange, error) {
	paths, err := filepath.Glob(filepath.Join(stateDir, "pins", "*"+seenSuffix))
	if err != nil {
		return nil, problem.Of(err)
	}
	var changes []PinChange
	for _, path := range paths {
		base := strings.TrimSuffix(path, seenSuffix)
		// A name is followed by "-" and 16 digits, and may have both in itself.
		if name := filepath.Base(base); len(name) != len(profile)+17 || !strings.HasPrefix(name, profile+"-") {
			continue
		}
		some, err := changesOf(pinFiles{approved: base + ".json", seen: path})
		if err != nil {
			return nil, problem.Unreadable(path, err)
		}
		changes = append(changes, some...)
	}
	return changes, nil
}

// PinStates tells of each tool of a server, named as the audit log names it, that is
// not approved as running proxies saw it last. Without a server it is about all
// servers of the profile. Errors are *problem.Problem.
func PinStates(stateDir, profile, server string) (map[string]string, error) {
	changes, err := pinChanges(stateDir, profile)
	if err != nil {
		return nil, err
	}
	states := map[string]string{}
	for _, change := range changes {
		if change.State != pinGone && (server == "" || change.Server == server) {
			states[change.Tool] = change.State
		}
	}
	return states, nil
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
// proxies follow within a second. Errors are *problem.Problem.
func Approve(changes []PinChange) error {
	byFile := map[pinFiles][]PinChange{}
	for _, change := range changes {
		byFile[change.files] = append(byFile[change.files], change)
	}
	for files, some := range byFile {
		approved, err := readPins(files.approved)
		if err != nil {
			return problem.Unreadable(files.approved, err)
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
			return problem.Unwritable(files.approved, err)
		}
	}
	return nil
}

// indented is a definition to read, with a line end; nothing where there is none.
func indented(definition json.RawMessage) []byte {
	var text bytes.Buffer
	if definition == nil || json.Indent(&text, definition, "", "  ") != nil {
		return nil
	}
	text.WriteByte('\n')
	return text.Bytes()
}

// diffLines compares two definitions. Of what is the same it has the lines around
// each change.
func diffLines(before, after []byte) []string {
	var all []string
	_, hunks, _ := strings.Cut(string(diff.Diff("", before, "", after)), "\n@@ ")
	for i, line := range strings.Split(strings.TrimSuffix(hunks, "\n"), "\n") {
		switch {
		case i == 0: // the rest of the first @@
		case strings.HasPrefix(line, "@@ "):
			all = append(all, "  …")
		default:
			all = append(all, line[:1]+" "+line[1:])
		}
	}
	return all
}
