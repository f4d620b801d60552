package gate

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// askFunc puts a question of ours to one side of the relay: build is given an id
// and returns the request.
type askFunc func(ctx context.Context, build func(id []byte) []byte) ([]byte, error)

// toolCatalog knows which tools declare the user as an argument. It learns that
// from every list that passes and, for a call that comes before any list, by
// asking the server itself.
type toolCatalog struct {
	ask askFunc

	// seen is shown each answer to a question of ours; may be nil.
	seen func(*relay.Output)

	mu       sync.Mutex
	takes    map[string]bool // by tool name
	alike    policy.LookAlikes
	declared map[string][]string // names of arguments, in the order of the schema, by tool
	complete bool                // the whole list was read, or could not be had

	forgotten int // how often it was
}

// fetchTimeout bounds the one call that waits for the list.
const fetchTimeout = 10 * time.Second

// maxListPages bounds the pages of a list that never ends.
const maxListPages = 100

func (b *toolCatalog) knows(tool string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, known := b.takes[tool]
	return known || b.complete
}

// has reports whether a list of the server names the tool.
func (b *toolCatalog) has(tool string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, known := b.takes[tool]
	return known
}

func (b *toolCatalog) takesUser(tool string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.takes[tool]
}

// lookAlike returns the tool of the server that a name, which is none of its
// tools', could be taken for.
func (b *toolCatalog) lookAlike(tool string) (known string, found bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.alike.Of(tool)
}

func (b *toolCatalog) note(tools []relay.Tool) {
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

// noteArguments learns which arguments the tools of a list declare.
func (b *toolCatalog) noteArguments(out *relay.Output) {
	found := map[string][]string{}
	out.Filter(relay.ListFilter{Member: "tools", Name: "name", Keep: func(name string, element []byte) bool {
		var tool struct {
			Schema relay.RawValue `json:"inputSchema"`
		}
		var schema struct {
			Properties relay.RawValue `json:"properties"`
		}
		if relay.DecodeStrict(element, &tool) == nil && relay.DecodeStrict(tool.Schema, &schema) == nil {
			relay.EachMember(schema.Properties, func(argument string, _ []byte) { found[name] = append(found[name], argument) })
		}
		return true
	}})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.declared == nil {
		b.declared = map[string][]string{}
	}
	maps.Copy(b.declared, found)
}

func (b *toolCatalog) argumentsOf(tool string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.declared[tool]
}

// forget drops all: the server says that its tools changed.
func (b *toolCatalog) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.takes, b.complete, b.alike, b.declared = nil, false, policy.LookAlikes{}, nil
	b.forgotten++
}

func (b *toolCatalog) timesForgotten() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.forgotten
}

// fetch reads the whole list. modernMeta is the _meta of a modern request, nil
// for an older protocol. When the list cannot be had the tools count as not
// declaring the user: they still find it in _meta.
func (b *toolCatalog) fetch(ctx context.Context, modernMeta []byte) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var cursor *string
	seen := map[string]bool{}
	for range maxListPages {
		next, tools, err := b.page(ctx, modernMeta, cursor)
		if err != nil {
			break
		}
		b.note(tools)
		if next == nil || seen[*next] { // "" is a cursor, too; one that comes again leads nowhere
			break
		}
		seen[*next], cursor = true, next
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complete = true
}

func (b *toolCatalog) page(ctx context.Context, modernMeta []byte, cursor *string) (*string, []relay.Tool, error) {
	params := struct {
		Meta   json.RawMessage `json:"_meta,omitempty"`
		Cursor *string         `json:"cursor,omitempty"`
	}{modernMeta, cursor}
	text, err := json.Marshal(params)
	if err != nil {
		return nil, nil, err
	}
	response, err := b.ask(ctx, func(id []byte) []byte {
		line := append([]byte(`{"jsonrpc":"2.0","id":`), id...)
		line = append(line, `,"method":"tools/list","params":`...)
		return append(append(line, text...), '}')
	})
	if err != nil {
		return nil, nil, err
	}
	var scanner relay.Scanner
	out := scanner.Scan(response)
	if out == nil || !isReadableList("tools/list", out.Result()) {
		return nil, nil, nil
	}
	if b.seen != nil {
		b.seen(out)
	}
	b.noteArguments(out)
	_, tools := out.HideArgument(UserArgument)
	var result struct {
		NextCursor *string `json:"nextCursor"`
	}
	if relay.DecodeStrict(out.Result(), &result) != nil {
		return nil, tools, nil // an error response has no next page
	}
	return result.NextCursor, tools, nil
}
