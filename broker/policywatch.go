package broker

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
)

// policyWatch is the policy of a running proxy. It follows the files that the
// policy stands in, and keeps the last good one while they hold a mistake. With
// none that ever was good everything is denied.
type policyWatch struct {
	// load reads the policy, and names the files to look at for a change.
	load    func() (p *policy.Policy, files []string, err error)
	say     func(text string)
	changed func() // tells the client that its lists are others now

	current atomic.Pointer[policy.Policy]
	failure atomic.Pointer[Problem] // why there is no policy at all
	view    atomic.Pointer[userView]

	another atomic.Bool // the policy is another one, and nobody has told the client yet

	mu     sync.Mutex // held while the files are looked at
	files  []string
	stamps []fs.FileInfo
	said   string // the last mistake
}

// watchPolicy makes the watch of a profile's policy.
func (b *Broker) watchPolicy(o ProxyOptions, log *logbook) *policyWatch {
	return &policyWatch{
		say: log.say,
		load: func() (*policy.Policy, []string, error) {
			files := []string{b.Paths.ConfigFile}
			config, err := b.Config()
			if err != nil {
				return nil, files, err
			}
			r, err := config.Resolve(o.Overrides, b.Env)
			if err != nil {
				return nil, files, err
			}
			if r.Policy != "" {
				files = append(files, r.Policy)
			}
			p, err := config.Policy(r)
			if err == nil && o.ReadOnly {
				set := p.Set()
				set.ReadOnly = true
				p, err = policy.Compile(set)
			}
			return p, files, err
		},
	}
}

// policyEvery is how often the files are looked at.
const policyEvery = 500 * time.Millisecond

// start reads the policy for the first time.
func (w *policyWatch) start() {
	p, files, err := w.load()
	w.note(files)
	if err != nil {
		w.said = err.Error()
		w.failure.Store(AsProblem(err))
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
}

// run follows the files until ctx ends.
func (w *policyWatch) run(ctx context.Context) {
	ticker := time.NewTicker(policyEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.look()
			if w.another.Swap(false) {
				w.changed()
			}
		case <-ctx.Done():
			return
		}
	}
}

// look reads the policy again if its files are others now.
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
		if hints := AsProblem(err).Hints; len(hints) > 0 {
			words += "; what mends it:  " + hints[0]
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

// userView is the policy as the last user saw it, kept from call to call.
type userView struct {
	policy *policy.Policy
	now    *identity.Snapshot
	view   *policy.View
}

// of returns the policy as the user of a session sees it. Who is not signed in
// is nobody.
func (w *policyWatch) of(now *identity.Snapshot, server string) *policy.View {
	p := w.current.Load()
	if last := w.view.Load(); last != nil && last.policy == p && sameProof(last.now, now) {
		return last.view
	}
	view := p.For(policyUser(now), server)
	w.view.Store(&userView{p, now, view})
	return view
}

// sameProof reports whether two snapshots say the same to a policy.
func sameProof(a, b *identity.Snapshot) bool {
	return a == b || a.State == b.State && a.ACR == b.ACR && sameUser(&a.User, &b.User) &&
		// A session makes a map anew when it makes a user anew.
		reflect.ValueOf(a.Claims).Pointer() == reflect.ValueOf(b.Claims).Pointer()
}

// policyUser is what the policy may know of a user.
func policyUser(now *identity.Snapshot) policy.User {
	if now.State != identity.SignedIn {
		return policy.User{}
	}
	u := now.User
	user := policy.User{
		Sub: u.Sub, Email: u.Email, Groups: u.Groups, Roles: u.Roles, Scopes: u.Scopes, ACR: now.ACR, Claims: now.Claims,
	}
	if u.AuthTime != 0 {
		user.AuthTime = time.Unix(u.AuthTime, 0)
	}
	return user
}
