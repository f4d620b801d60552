package gate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// pinStore knows the definitions of a server's tools that a person has approved,
// and those that the server has now: a description that changes after it was
// read is a way to mislead a model.
type pinStore struct {
	files   pinFiles
	profile string
	server  string
	mode    func() string // one of policy's pin words, as the policy says now
	say     func(text string)
	changed func() // tells the client that its lists changed

	saving   sync.Mutex // held by keep
	mu       sync.Mutex
	approved map[string]json.RawMessage // canonical definitions by tool; nil before the first approval
	stamp    fs.FileInfo                // of the approved file
	seen     map[string]json.RawMessage
	unsaved  bool
	changes  *sharedfile.Watch // of the approved file, while run follows it
	warned   map[[32]byte]bool
}

// pinFiles are where the definitions of a profile's server are kept.
type pinFiles struct{ approved, seen string }

const seenSuffix = ".seen.json"

func pinFilesOf(p Place) pinFiles {
	base := filepath.Join(p.StateDir, "pins", strings.TrimSuffix(p.file(), ".json"))
	return pinFiles{approved: base + ".json", seen: base + seenSuffix}
}

// pinned is the form of both files.
type pinned struct {
	Schema int                        `json:"schema"`
	Server string                     `json:"server"`
	Tools  map[string]json.RawMessage `json:"tools"` // definition by name
}

// maxPins bounds what is read, in bytes.
const maxPins = 32 << 20

// readPins returns nil tools for a file that is not there.
func readPins(path string) (pinned, error) {
	info, err := os.Stat(path)
	if os.IsNotExist(err) {
		return pinned{}, nil
	}
	var p pinned
	var data []byte
	if err == nil && info.Size() > maxPins {
		err = fs.ErrInvalid
	}
	if err == nil {
		data, err = sharedfile.Read(path)
	}
	if err == nil {
		err = relay.DecodeStrict(data, &p)
	}
	if err == nil && p.Tools == nil {
		p.Tools = map[string]json.RawMessage{}
	}
	return p, err
}

func (f pinFiles) write(path string, p pinned) error {
	p.Schema = 1
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return sharedfile.Replace(path, data)
}

func (b *pinStore) pins() bool { return b.mode() == policy.PinWarn || b.mode() == policy.PinBlock }

// blocking reports whether tools that are not approved are out of reach.
func (b *pinStore) blocking() bool { return b.mode() == policy.PinBlock }

// load reads what was approved. What cannot be read approves nothing.
func (b *pinStore) load() {
	p, err := readPins(b.files.approved)
	if err != nil {
		b.say("the approved tools cannot be read, so none is approved: " + err.Error())
		p.Tools = map[string]json.RawMessage{}
	}
	info, _ := os.Stat(b.files.approved) // nil where there is none
	b.mu.Lock()
	defer b.mu.Unlock()
	b.approved, b.stamp = p.Tools, info
}

// run keeps what is seen and follows what is approved, until ctx ends.
func (b *pinStore) run(ctx context.Context) {
	b.mu.Lock()
	b.changes = sharedfile.NewWatch(b.files.approved)
	b.mu.Unlock()
	b.changes.Follow(ctx.Done(), func() { b.keep(); b.follow() })
}

func (b *pinStore) follow() {
	info, _ := os.Stat(b.files.approved)
	b.mu.Lock()
	same := sameStamp(info, b.stamp)
	b.mu.Unlock()
	if same {
		return
	}
	b.load()
	if b.blocking() {
		b.changed()
	}
}

// note learns the definitions of a tools/list answer as the server sent it.
func (b *pinStore) note(out *relay.Output) {
	if !b.pins() {
		return
	}
	found := map[string]json.RawMessage{}
	out.Filter(relay.ListFilter{Member: "tools", Name: "name", Keep: func(name string, element []byte) bool {
		definition, err := relay.CanonicalJSON(element)
		if other, twice := found[name]; err != nil || twice && !bytes.Equal(other, definition) {
			definition = nil // with two readings, or two of that name: nobody can approve it
		}
		found[name] = definition
		return true
	}})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil {
		b.seen = map[string]json.RawMessage{}
	}
	for name, definition := range found {
		if string(b.seen[name]) != string(definition) || definition == nil {
			b.seen[name], b.unsaved = definition, true
		}
	}
	if b.unsaved && b.changes != nil {
		b.changes.Nudge()
	}
}

// keep writes what was seen, for `mcpauth tools approve`, and warns.
func (b *pinStore) keep() {
	b.saving.Lock()
	defer b.saving.Unlock()
	b.mu.Lock()
	if !b.unsaved {
		b.mu.Unlock()
		return
	}
	b.unsaved = false
	seen := pinned{Server: b.server, Tools: map[string]json.RawMessage{}}
	for name, definition := range b.seen {
		if definition != nil {
			seen.Tools[name] = definition
		}
	}
	first := b.approved == nil
	b.mu.Unlock()
	err := b.files.write(b.files.seen, seen)
	if err == nil && first && !b.blocking() { // what is there first is taken as it is
		if err = b.files.write(b.files.approved, seen); err == nil {
			b.load()
		}
	}
	if err != nil {
		b.say("the definitions of the tools cannot be kept: " + err.Error())
	}
	b.warn()
}

// warn tells once of each definition that nobody approved.
func (b *pinStore) warn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.warned == nil {
		b.warned = map[[32]byte]bool{}
	}
	for name, definition := range b.seen {
		state := stateOf(b.approved, name, definition)
		sum := sha256.Sum256(append([]byte(name+"\x00"), definition...))
		if state == "" || b.warned[sum] {
			continue
		}
		b.warned[sum] = true
		if definition == nil {
			b.say("tool " + text.CleanLine(name) + " has two definitions, so nobody can approve it")
			continue
		}
		b.say("tool " + text.CleanLine(name) + " is " + state + "; to look at it:  mcpauth tools approve" + problem.ProfileFlag(b.profile) + " " + text.QuoteWord(name))
	}
}

// What a definition is to those that were approved; empty for one of them.
const (
	pinNew     = "new"
	pinChanged = "changed"
	pinGone    = "gone"
)

func stateOf(approved map[string]json.RawMessage, name string, definition json.RawMessage) string {
	known, there := approved[name]
	switch {
	case !there:
		return pinNew
	case definition == nil || string(known) != string(definition):
		return pinChanged
	}
	return ""
}

// state is what a tool that the server has now is to those that were approved; empty
// for one of them, and where nobody needs to approve.
func (b *pinStore) state(tool string) string {
	if !b.pins() {
		return ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	definition, there := b.seen[tool]
	if !there || b.approved == nil && b.mode() != policy.PinBlock {
		return "" // what is there first is taken as it is
	}
	return stateOf(b.approved, tool, definition)
}

// blocks reports whether a tool is out of reach, because its definition was not
// approved as it is.
func (b *pinStore) blocks(tool string) bool {
	if !b.blocking() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	definition, there := b.seen[tool]
	return !there || stateOf(b.approved, tool, definition) != ""
}
