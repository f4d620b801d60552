package gate

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// policyWatch is the policy of a running proxy. It follows the files that the
// policy stands in, and keeps the last good one while they hold a mistake. With
// none that ever was good everything is denied.
type policyWatch struct {
	// load reads the policy, and names the files to look at for a change.
	load    func() (p *policy.Policy, files []string, err error)
	say     func(text string)
	changed func() // tells the client that its lists changed

	current atomic.Pointer[policy.Policy]
	failure atomic.Pointer[problem.Problem] // why there is no policy at all

	another atomic.Bool // the policy is another one, and nobody has told the client yet

	mu      sync.Mutex // held while the files are looked at
	files   []string
	stamps  []fs.FileInfo
	changes *sharedfile.Watch // of the files, while run follows them
	said    string            // the last mistake
}

// start reads the policy for the first time.
func (w *policyWatch) start() {
	p, files, err := w.load()
	w.note(files)
	if err != nil {
		w.said = err.Error()
		w.failure.Store(problem.Of(err))
		w.say("no policy, so everything is denied: " + err.Error())
		return
	}
	w.current.Store(p)
}

func (w *policyWatch) note(files []string) {
	w.files, w.stamps = files, nil
	for _, path := range files {
		info, _ := os.Stat(path) // nil where there is none
		w.stamps = append(w.stamps, info)
	}
	if w.changes != nil {
		w.changes.Set(files...)
	}
}

// run follows the files until ctx ends.
func (w *policyWatch) run(ctx context.Context) {
	w.mu.Lock()
	w.changes = sharedfile.NewWatch(w.files...)
	w.mu.Unlock()
	w.changes.Follow(ctx.Done(), func() {
		w.look()
		if w.another.Swap(false) {
			w.changed()
		}
	})
}

// look reads the policy again if its files changed.
func (w *policyWatch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	moved := false
	for i, path := range w.files {
		info, _ := os.Stat(path)
		moved = moved || !sameStamp(info, w.stamps[i])
	}
	if !moved {
		return
	}
	p, files, err := w.load()
	if err != nil {
		files = w.files // what a broken configuration names is not known
	}
	w.note(files)
	switch {
	case err != nil && err.Error() != w.said:
		w.said = err.Error()
		words := fmt.Sprintf("%v; %s", err, w.meanwhile())
		if hints := problem.Of(err).Hints; len(hints) > 0 {
			words += "; to fix it:  " + hints[0]
		}
		w.say(words)
	case err != nil:
	case w.current.Load() == nil || !reflect.DeepEqual(p.Set(), w.current.Load().Set()):
		w.said = ""
		w.current.Store(p)
		w.failure.Store(nil)
		w.say("the policy changed")
		w.another.Store(true)
	default:
		w.said = ""
	}
}

func (w *policyWatch) meanwhile() string {
	if w.current.Load() == nil {
		return "everything is denied until it is mended"
	}
	return "the last good policy stays in force"
}

func sameStamp(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	// With the mode: a file may be refused for it alone.
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}

// pin is what the policy wants of tools that changed.
func (w *policyWatch) pin() string { return w.current.Load().Pin() }
