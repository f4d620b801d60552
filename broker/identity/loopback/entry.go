package loopback

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// entry leads one browser to an address that must not stand in its arguments,
// which every user of the machine can read. What stands there is the address of
// a page here that sends the browser on, once.
//
// Where an answer comes back, the page leaves a cookie, and only the browser that
// has it may bring the answer. The newest page that was taken says which one that is: a
// user who opens the link in another browser means that one.
type entry struct {
	host   string // exactly as in the address
	folder string // path of the pages, without the slash at its end
	target string // where they lead
	warn   func(string)
	taken  chan struct{} // closed when the first browser was sent on
	cookie *http.Cookie  // its Value is the owner's, and empty as long as there is none; nil where no answer comes back

	mu     sync.Mutex
	pages  map[string]bool // by path: whether it was taken
	warned map[string]bool
}

func newEntry(host, path, target string, warn func(string)) *entry {
	return &entry{
		host: host, folder: strings.TrimSuffix(path, "/"), target: target, warn: warn,
		taken: make(chan struct{}), pages: map[string]bool{}, warned: map[string]bool{},
	}
}

// expectAnswer has the pages leave a cookie for the path of the answer, and for
// their own below it. Its name is new each time: cookies know no port, and two
// sign-ins may go on at once.
func (e *entry) expectAnswer(path string, within time.Duration) {
	e.cookie = &http.Cookie{
		Name: "mcpauth_" + strings.ToLower(rand.Text()[:12]), Path: path, MaxAge: max(1, int(within.Seconds())),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, // the answer is a navigation from the provider's site
	}
	if e.cookie.Valid() != nil { // a path with a semicolon
		e.cookie.Path = "/"
	}
}

// page returns the address of a new page.
func (e *entry) page() string {
	path := e.folder + "/" + rand.Text()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pages[path] = false
	return "http://" + e.host + path
}

// refuse answers a request of another user of this machine, and one to another
// host or with another method: a page of the web that has had its name lead here.
func (e *entry) refuse(r *http.Request) *Page {
	p := strayPage()
	switch peer := peerOf(r); {
	case peer.foreign:
		e.warnOnce(peer.warning())
		p = foreignPage()
	case r.Host != e.host:
		p.Status = http.StatusMisdirectedRequest
	case r.Method != http.MethodGet:
		p.Status = http.StatusMethodNotAllowed
	default:
		return nil
	}
	return &p
}

// serve answers a request for one of the pages, and reports whether it was one.
func (e *entry) serve(w http.ResponseWriter, r *http.Request) bool {
	e.mu.Lock()
	used, known := e.pages[r.URL.Path]
	owns := e.ownsLocked(r)
	if !known || used && !owns {
		if known && e.cookie != nil && !peerOf(r).known {
			e.cookie.Value = "" // which of the two is the user's browser, nobody can tell
		}
		e.mu.Unlock()
		if known {
			e.warnOnce("a second browser opened the sign-in link, which is good for one; " +
				"if that was not you, stop this sign-in and begin again")
			ExpiredPage().write(w)
		}
		return known
	}
	e.pages[r.URL.Path] = true
	p := Page{Status: http.StatusSeeOther, location: e.target}
	if e.cookie != nil {
		if !owns {
			e.cookie.Value = rand.Text()
		}
		p.cookie = e.cookie.String()
	}
	select {
	case <-e.taken:
	default:
		defer close(e.taken)
	}
	e.mu.Unlock()
	p.write(w)
	return true
}

// owns reports whether a request comes from the browser that was sent on last.
func (e *entry) owns(r *http.Request) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ownsLocked(r)
}

func (e *entry) ownsLocked(r *http.Request) bool {
	if e.cookie == nil || e.cookie.Value == "" {
		return false
	}
	for _, c := range r.CookiesNamed(e.cookie.Name) {
		if subtle.ConstantTimeCompare([]byte(c.Value), []byte(e.cookie.Value)) == 1 {
			return true
		}
	}
	return false
}

// opened reports whether a browser was sent on.
func (e *entry) opened() bool {
	select {
	case <-e.taken:
		return true
	default:
		return false
	}
}

// warnOnce tells the user, of each thing once: requests come from anybody.
func (e *entry) warnOnce(text string) {
	e.mu.Lock()
	before := e.warned[text]
	e.warned[text] = true
	e.mu.Unlock()
	if !before && e.warn != nil {
		e.warn(text)
	}
}

// peer is the other end of a connection on loopback.
type peer struct {
	known   bool // the system says whose it is
	foreign bool // it is neither ours nor root's, or it was closed and has no owner
	uid     int
}

func (p peer) warning() string {
	if !p.known {
		return "a program that was gone at once asked for the sign-in page and was refused"
	}
	return fmt.Sprintf("another user of this machine (uid %d) asked for the sign-in page and was refused", p.uid)
}
