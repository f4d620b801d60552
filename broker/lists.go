package broker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/keychain"
)

// listMembers names, by method, the member of a list result that is the list.
var listMembers = map[string]string{
	"tools/list":               "tools",
	"prompts/list":             "prompts",
	"resources/list":           "resources",
	"resources/templates/list": "resourceTemplates",
}

// lastLists are the lists of a server as the last user saw them. They stand in
// for the server's own while nobody is signed in: AI clients ask once, at their
// start, and some never again (reference/terminal.md 3.1).
type lastLists struct {
	path  string // file of this profile and server
	pages chan listPage
	ended chan struct{} // closed when run has

	mu     sync.Mutex
	read   bool                         // the file was
	whole  map[string]json.RawMessage   // by method
	partly map[string][]json.RawMessage // pages of a list that is not read whole yet

	ends map[string]bool // whether the last page of a method made a list whole; run's own
}

// listPage is one list result on its way into the file.
type listPage struct {
	method   string
	first    bool   // asked for without a cursor
	again    bool   // it is the last one once more, and left out
	response []byte // the whole line
}

// maxLists bounds what is kept on disk, in bytes.
const maxLists = 8 << 20

// openLists is for what is kept of a profile and server. The file is read when
// it is needed first: most proxies start while somebody is signed in.
func openLists(stateDir string, r Resolved) *lastLists {
	return &lastLists{
		path:   filepath.Join(stateDir, "lists", listFile(r)),
		pages:  make(chan listPage, 16),
		ended:  make(chan struct{}),
		whole:  map[string]json.RawMessage{},
		partly: map[string][]json.RawMessage{},
		ends:   map[string]bool{},
	}
}

// load reads the file once. What cannot be read counts as not kept. mu is held.
func (l *lastLists) load() {
	if l.read {
		return
	}
	l.read = true
	var kept struct {
		Lists map[string]json.RawMessage `json:"lists"`
	}
	if info, err := os.Stat(l.path); err != nil || info.Size() > maxLists {
		return
	}
	if data, err := os.ReadFile(l.path); err == nil && json.Unmarshal(data, &kept) == nil {
		for method, list := range kept.Lists {
			if listMembers[method] != "" && isArray(list) {
				l.whole[method] = list
			}
		}
	}
}

// listFile names the file of a profile and a server command.
func listFile(r Resolved) string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{r.Name, r.Cwd}, r.Command...), "\x00")))
	return r.Name + "-" + hex.EncodeToString(sum[:8]) + ".json"
}

func isArray(text json.RawMessage) bool {
	var elements []json.RawMessage
	return json.Unmarshal(text, &elements) == nil && elements != nil
}

// get returns the last known list of a method as a JSON array.
func (l *lastLists) get(method string) (json.RawMessage, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load()
	list, known := l.whole[method]
	return list, known
}

// note takes a list result that the client gets. It does not wait: a page that
// comes while sixteen others are being read is forgotten, and false returned.
func (l *lastLists) note(page listPage) bool {
	select {
	case l.pages <- page:
		return true
	default:
		return false
	}
}

// run keeps what is noted until ctx ends, and what is noted by then.
func (l *lastLists) run(ctx context.Context) {
	defer close(l.ended)
	for {
		select {
		case page := <-l.pages:
			l.keep(page)
		case <-ctx.Done():
			for {
				select {
				case page := <-l.pages:
					l.keep(page)
				default:
					return
				}
			}
		}
	}
}

func (l *lastLists) keep(page listPage) {
	whole, changed := page.again && l.ends[page.method], false
	if !page.again {
		whole, changed = l.add(page)
		l.ends[page.method] = whole
	}
	switch {
	case changed:
		l.save()
	case whole:
		now := time.Now() // says which server was listed last; see KnownList
		_ = os.Chtimes(l.path, now, now)
	}
}

// add reports whether a list is whole with this page, and another than before.
func (l *lastLists) add(page listPage) (whole, changed bool) {
	var response struct {
		Result map[string]json.RawMessage `json:"result"`
	}
	var elements []json.RawMessage
	if json.Unmarshal(page.response, &response) != nil ||
		json.Unmarshal(response.Result[listMembers[page.method]], &elements) != nil {
		return false, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load()
	if page.first {
		l.partly[page.method] = []json.RawMessage{}
	}
	if l.partly[page.method] == nil {
		return false, false // a page in the middle of a list of which the beginning is not known
	}
	l.partly[page.method] = append(l.partly[page.method], elements...)
	if next := string(response.Result["nextCursor"]); next != "" && next != "null" {
		return false, false
	}
	list, err := json.Marshal(l.partly[page.method])
	delete(l.partly, page.method)
	if err != nil || string(list) == string(l.whole[page.method]) {
		return err == nil, false
	}
	l.whole[page.method] = list
	return true, true
}

// save writes the file. Without it the next signed-out start shows less, which
// is no reason to trouble anybody.
func (l *lastLists) save() {
	l.mu.Lock()
	data, err := json.Marshal(map[string]any{"schema": 1, "lists": l.whole})
	l.mu.Unlock()
	if err != nil || len(data) > maxLists {
		return
	}
	_ = keychain.ReplaceFile(l.path, data)
	removeUnused(filepath.Dir(l.path), time.Now().Add(-listsKept))
}

// listsKept is how long lists stay on disk that no proxy has seen any more: their
// server or profile is gone, or was given other arguments.
const listsKept = 90 * 24 * time.Hour

// removeUnused removes the lists that were seen last before a moment.
func removeUnused(folder string, before time.Time) {
	files, _ := os.ReadDir(folder) // what cannot be read stays
	for _, file := range files {
		info, err := file.Info()
		if err == nil && info.Mode().IsRegular() && info.ModTime().Before(before) && strings.HasSuffix(file.Name(), ".json") {
			_ = os.Remove(filepath.Join(folder, file.Name()))
		}
	}
}
