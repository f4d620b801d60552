package broker

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// askFunc puts a question of ours to one side of the relay: build is given an id
// and returns the request.
type askFunc func(ctx context.Context, build func(id []byte) []byte) ([]byte, error)

// toolBook knows which tools declare the user as an argument. It learns that
// from every list that passes and, for a call that comes before any list, by
// asking the server itself.
type toolBook struct {
	ask askFunc

	// seen is shown each answer to a question of ours; may be nil.
	seen func(*relay.Output)

	mu       sync.Mutex
	takes    map[string]bool // by tool name
	alike    policy.LookAlikes
	complete bool // the whole list was read, or could not be had

	forgotten int // how often it was
}

// fetchTimeout bounds the one call that waits for the list.
const fetchTimeout = 10 * time.Second

// maxListPages bounds the pages of a list that never ends.
const maxListPages = 100

func (b *toolBook) knows(tool string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, known := b.takes[tool]
	return known || b.complete
}

// has reports whether a list of the server names the tool.
func (b *toolBook) has(tool string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, known := b.takes[tool]
	return known
}

func (b *toolBook) takesUser(tool string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.takes[tool]
}

// lookAlike returns the tool of the server that a name, which is none of its
// tools', could be taken for.
func (b *toolBook) lookAlike(tool string) (known string, found bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.alike.Of(tool)
}

func (b *toolBook) note(tools []relay.Tool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.takes == nil {
		b.takes = make(map[string]bool)
	}
	for _, tool := range tools {
		b.takes[tool.Name] = tool.Takes
		b.alike.Add(tool.Name)
	}
}

// forget drops all: the server says that its tools changed.
func (b *toolBook) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.takes, b.complete, b.alike = nil, false, policy.LookAlikes{}
	b.forgotten++
}

func (b *toolBook) timesForgotten() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.forgotten
}

// fetch reads the whole list. modernMeta is the _meta of a modern request, nil
// for an older protocol. When the list cannot be had the tools count as not
// declaring the user: they still find it in _meta.
func (b *toolBook) fetch(ctx context.Context, modernMeta []byte) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	cursor := ""
	for range maxListPages {
		next, tools, err := b.page(ctx, modernMeta, cursor)
		if err != nil {
			break
		}
		b.note(tools)
		if cursor = next; cursor == "" {
			break
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complete = true
}

func (b *toolBook) page(ctx context.Context, modernMeta []byte, cursor string) (string, []relay.Tool, error) {
	params := struct {
		Meta   json.RawMessage `json:"_meta,omitempty"`
		Cursor string          `json:"cursor,omitempty"`
	}{modernMeta, cursor}
	text, err := json.Marshal(params)
	if err != nil {
		return "", nil, err
	}
	response, err := b.ask(ctx, func(id []byte) []byte {
		line := append([]byte(`{"jsonrpc":"2.0","id":`), id...)
		line = append(line, `,"method":"tools/list","params":`...)
		return append(append(line, text...), '}')
	})
	if err != nil {
		return "", nil, err
	}
	var scanner relay.Scanner
	out := scanner.Scan(response)
	if out == nil {
		return "", nil, nil
	}
	if b.seen != nil {
		b.seen(out)
	}
	_, tools := out.HideArgument(UserArgument)
	var result struct {
		NextCursor string `json:"nextCursor"`
	}
	if err := json.Unmarshal(out.Result(), &result); err != nil {
		return "", tools, nil // an error response has no next page
	}
	return result.NextCursor, tools, nil
}
