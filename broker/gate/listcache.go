package gate

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

	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// listMembers names, by method, the member of a list result that is the list.
var listMembers = map[string]string{
	"tools/list":               "tools",
	"prompts/list":             "prompts",
	"resources/list":           "resources",
	"resources/templates/list": "resourceTemplates",
}

// listCache are the lists of a server as the last user saw them. They stand in
// for the server's own while nobody is signed in: AI clients ask once, at their
// start, and some never again (reference/terminal.md 3.1).
type listCache struct {
	path  string // file of this profile and server
	pages chan listPage

	mu    sync.Mutex
	read  bool                      // the file was
	whole map[string]relay.RawValue // by method
}

// listPages are the lists of one session that are not read whole yet, by method. They
// belong to the goroutine that reads them.
type listPages struct {
	partly map[string][]relay.RawValue
	ended  map[string]bool // whether the last page made a list whole
}

func newListPages() *listPages {
	return &listPages{map[string][]relay.RawValue{}, map[string]bool{}}
}

// listPage is one list result on its way into the file.
type listPage struct {
	of       *listPages
	method   string
	first    bool   // asked for without a cursor
	again    bool   // it is the last one once more, and left out
	response []byte // the whole line
}

// maxLists bounds what is kept on disk, in bytes.
const maxLists = 8 << 20

// openLists is for what is kept of a profile and server. The file is read when
// it is needed first: most proxies start while a user is signed in.
func openLists(p Place) *listCache {
	return &listCache{
		path:  filepath.Join(p.StateDir, "lists", p.file()),
		pages: make(chan listPage, 16),
		whole: map[string]relay.RawValue{},
	}
}

// load reads the file once. What cannot be read counts as not kept. mu is held.
func (l *listCache) load() {
	if l.read {
		return
	}
	l.read = true
	var kept struct {
		Lists map[string]relay.RawValue `json:"lists"`
	}
	if info, err := os.Stat(l.path); err != nil || info.Size() > maxLists {
		return
	}
	if data, err := sharedfile.Read(l.path); err == nil && relay.DecodeStrict(data, &kept) == nil {
		for method, list := range kept.Lists {
			if listMembers[method] != "" && isArray(list) {
				l.whole[method] = list
			}
		}
	}
}

// Place says where the files of a profile and a server command are.
type Place struct {
	StateDir string
	Profile  string
	Command  []string
	Cwd      string
}

// file names the file of a profile and a server command.
func (p Place) file() string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{p.Profile, p.Cwd}, p.Command...), "\x00")))
	return p.Profile + "-" + hex.EncodeToString(sum[:8]) + ".json"
}

func isArray(text relay.RawValue) bool {
	var elements []relay.RawValue
	return relay.DecodeStrict(text, &elements) == nil && elements != nil
}

// get returns the last known list of a method as a JSON array.
func (l *listCache) get(method string) (relay.RawValue, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load()
	list, known := l.whole[method]
	return list, known
}

// note takes a list result that the client gets. It does not wait: a page that
// comes while sixteen others are being read is forgotten, and false returned.
func (l *listCache) note(page listPage) bool {
	select {
	case l.pages <- page:
		return true
	default:
		return false
	}
}

// run keeps what is noted until ctx ends, and what is noted by then.
func (l *listCache) run(ctx context.Context) {
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

func (l *listCache) keep(page listPage) {
	whole, changed := page.again && page.of.ended[page.method], false
	if !page.again {
		whole, changed = l.add(page)
		page.of.ended[page.method] = whole
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
func (l *listCache) add(page listPage) (whole, changed bool) {
	var response struct {
		Result map[string]relay.RawValue `json:"result"`
	}
	var elements []relay.RawValue
	if relay.DecodeStrict(page.response, &response) != nil ||
		relay.DecodeStrict(response.Result[listMembers[page.method]], &elements) != nil {
		return false, false
	}
	partly := page.of.partly
	if page.first {
		partly[page.method] = []relay.RawValue{}
	}
	if partly[page.method] == nil {
		return false, false // a page in the middle of a list whose beginning is not known
	}
	partly[page.method] = append(partly[page.method], elements...)
	if next := string(response.Result["nextCursor"]); next != "" && next != "null" {
		return false, false
	}
	list, err := json.Marshal(partly[page.method])
	delete(partly, page.method)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load()
	if err != nil || string(list) == string(l.whole[page.method]) {
		return err == nil, false
	}
	l.whole[page.method] = list
	return true, true
}

// save writes the file. Without it the next signed-out start shows less, which
// is no reason to trouble anybody.
func (l *listCache) save() {
	l.mu.Lock()
	data, err := json.Marshal(map[string]any{"schema": 1, "lists": l.whole})
	l.mu.Unlock()
	if err != nil || len(data) > maxLists {
		return
	}
	_ = sharedfile.Replace(l.path, data)
	removeUnused(filepath.Dir(l.path), time.Now().Add(-listsKept))
}

// listsKept is how long lists stay on disk that no proxy has seen any more: their
// server or profile was removed, or has other arguments now.
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
