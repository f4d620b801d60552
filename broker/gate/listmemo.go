package gate

import (
	"bytes"
	"slices"
	"sync"

	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// listMemo remember what became of the last answer to each list method. A client
// that asks again, and gets the same, need not wait until all of it is decoded again.
type listMemo struct {
	mu   sync.Mutex
	last map[string]*listing // by method
}

// listing is an answer of the server, and what the client got instead. Both are kept
// without the id, which is another each time.
type listing struct {
	circumstances
	sent, given [2][]byte // the line before and behind the id; nothing is given where it stays as it is
}

// circumstances are all that decides what becomes of a list, beside the list.
type circumstances struct {
	view          *policy.View
	forgotten     int // how often the tools were
	first, modern bool
}

// maxListing bounds a line that is remembered, in bytes.
const maxListing = 1 << 20

// find returns what is known of an answer, or nil.
func (l *listMemo) find(method string, now circumstances, out *relay.Output) *listing {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.last[method]
	if last == nil || last.circumstances != now {
		return nil
	}
	if before, behind := out.AroundID(); !bytes.Equal(before, last.sent[0]) || !bytes.Equal(behind, last.sent[1]) {
		return nil
	}
	return last
}

// keep remembers that the client got line in place of an answer, or nil.
func (l *listMemo) keep(method string, now circumstances, out *relay.Output, line []byte) {
	before, behind := out.AroundID()
	if before == nil || len(out.Bytes())+len(line) > maxListing {
		return
	}
	next := &listing{circumstances: now, sent: [2][]byte{bytes.Clone(before), bytes.Clone(behind)}}
	if line != nil {
		var scanner relay.Scanner
		given := scanner.Scan(line)
		if given == nil {
			return
		}
		before, behind = given.AroundID()
		next.given = [2][]byte{before, behind}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		l.last = map[string]*listing{}
	}
	l.last[method] = next
}

// line is what the client gets this time, or nil.
func (l *listing) line(id []byte) []byte {
	if l.given[0] == nil {
		return nil
	}
	return slices.Concat(l.given[0], id, l.given[1])
}

// listed is a list as the client gets it: without what is not for its user.
func (g *Session) listed(out *relay.Output, request *relay.Request) []byte {
	// The explorer gets what a list loses, and pinning reads each definition.
	if listMembers[request.Method] == "" || g.explorer != nil || g.authorizer.pins.pins() {
		line, _ := g.readList(out, request)
		return line
	}
	first, _ := request.Tag.(bool)
	now := circumstances{g.authorizer.view(g.session.Snapshot()), g.tools.timesForgotten(), first, request.Modern}
	if known := g.listMemo.find(request.Method, now, out); known != nil && g.lists.note(listPage{of: g.pages, method: request.Method, again: true}) {
		return known.line(out.ID())
	}
	line, noted := g.readList(out, request)
	if noted {
		g.listMemo.keep(request.Method, now, out, line)
	}
	return line
}
