package sharedfile

import (
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// lookSlowly is how often a watch looks by itself: the system tells nothing of some
	// file systems (a home on a server), and of a link that leads elsewhere now.
	lookSlowly = 10 * time.Second
	// lookOften is the same where the system tells nothing at all.
	lookOften = 250 * time.Millisecond
)

// A Watch says when one of its files may have changed, been made or been removed, by
// any process. It may be for nothing.
type Watch struct {
	c     chan bool // whether more may follow
	paths []string  // those that were asked for, and where links lead
}

// NewWatch watches files, which need not be there, nor their folders. Close ends it.
func NewWatch(paths ...string) *Watch {
	w := &Watch{c: make(chan bool, 1)}
	theWatcher.add(w)
	w.Set(paths...)
	return w
}

// settling is left to a program that writes a file in pieces, and to a change that comes
// with others.
const settling = 50 * time.Millisecond

// Follow calls look at once, and after each change, until done is closed. Then it
// closes the watch.
func (w *Watch) Follow(done <-chan struct{}, look func()) {
	defer w.Close()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-pause.C:
			look()
		case <-done:
			return
		}
		select {
		case more := <-w.c:
			wait := time.Duration(0)
			if more {
				wait = settling
			}
			pause.Reset(wait)
		case <-done:
			return
		}
	}
}

// Set watches these files from now on.
func (w *Watch) Set(paths ...string) { theWatcher.set(w, paths) }

// Close ends the watch.
func (w *Watch) Close() { theWatcher.remove(w) }

// Nudge is a change that the files do not show.
func (w *Watch) Nudge() { w.nudge(true) }

func (w *Watch) nudge(more bool) {
	select {
	case w.c <- more:
	default:
	}
}

// watcher is all that this process watches: one descriptor, one goroutine and one
// ticker, as long as there is a Watch.
type watcher struct {
	mu      sync.Mutex
	watches []*Watch
	system  *fsnotify.Watcher // nil without watches, or where the system has none
	stop    chan struct{}
	ended   chan struct{}
	missing bool // a folder is not there yet; one above it is watched
}

var theWatcher watcher

func (s *watcher) add(w *Watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches = append(s.watches, w)
	if len(s.watches) > 1 {
		return
	}
	every := lookSlowly
	var err error
	// The buffer is for changes that come while files are added: on Windows the sender of
	// events is the one that adds, so a full channel would block both.
	if s.system, err = fsnotify.NewBufferedWatcher(1000); err != nil {
		s.system, every = nil, lookOften
	}
	s.stop, s.ended = make(chan struct{}), make(chan struct{})
	go s.run(s.system, every, s.stop, s.ended)
}

func (s *watcher) set(w *Watch, paths []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.paths = nil
	for _, path := range paths {
		w.paths = append(w.paths, filepath.Clean(path))
		if real, err := filepath.EvalSymlinks(path); err == nil && real != filepath.Clean(path) {
			w.paths = append(w.paths, real)
		}
	}
	s.arm()
}

func (s *watcher) remove(w *Watch) {
	s.mu.Lock()
	before := len(s.watches)
	s.watches = slices.DeleteFunc(s.watches, func(other *Watch) bool { return other == w })
	last := before > 0 && len(s.watches) == 0
	system, ended := s.system, s.ended
	if last {
		close(s.stop)
		s.system = nil
	}
	s.arm()
	s.mu.Unlock()
	if last {
		<-ended
		if system != nil {
			_ = system.Close()
		}
	}
}

// arm has the system tell of each folder, or of the nearest above that is there, and of
// no other: Windows removes no folder that is watched. mu must be held.
func (s *watcher) arm() {
	s.missing = false
	if s.system == nil {
		return
	}
	wanted := map[string]bool{}
	for _, w := range s.watches {
		for _, path := range w.paths {
			folder := filepath.Dir(path)
			for s.system.Add(folder) != nil && filepath.Dir(folder) != folder {
				s.missing = true
				folder = filepath.Dir(folder)
			}
			wanted[folder] = true
		}
	}
	for _, folder := range s.system.WatchList() {
		if !wanted[filepath.Clean(folder)] {
			_ = s.system.Remove(folder)
		}
	}
}

func (s *watcher) run(system *fsnotify.Watcher, every time.Duration, stop, ended chan struct{}) {
	defer close(ended)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var events chan fsnotify.Event
	var failures chan error
	if system != nil {
		events, failures = system.Events, system.Errors
	}
	for {
		select {
		case <-stop:
			return
		case e := <-events:
			s.happened(e)
		case <-failures: // what happened is not known
			s.lookAgain()
		case <-ticker.C:
			s.lookAgain()
		}
	}
}

func (s *watcher) happened(e fsnotify.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	folderGone := slices.ContainsFunc(s.watches, func(w *Watch) bool {
		return slices.ContainsFunc(w.paths, func(path string) bool { return filepath.Dir(path) == e.Name })
	})
	moved := s.missing || folderGone
	if moved {
		s.arm()
	}
	for _, w := range s.watches {
		if moved || slices.Contains(w.paths, e.Name) {
			w.Nudge()
		}
	}
}

func (s *watcher) lookAgain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arm()
	for _, w := range s.watches {
		w.nudge(false)
	}
}
