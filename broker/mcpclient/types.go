package mcpclient

import (
	"context"
	"encoding/json"
	"time"

	"github.com/mcpauth/mcpauth/broker/policy"
)

// What a server says, for a user who explores it. All texts are the server's own, as
// it sent them: they are not fit for a terminal.

// ServerInfo is what a server says about itself.
type ServerInfo struct {
	Name, Title, Version string
	ProtocolVersion      string          // of MCP, as "2025-11-25"
	Instructions         string          // to the model
	Capabilities         json.RawMessage // the server's capabilities object
	Raw                  json.RawMessage // the whole result of initialize or server/discover
}

// Access is what the policy says to an item before anybody uses it.
type Access = policy.Access

// Tool is one entry of tools/list. Those that the policy hides from AI clients are
// there, too, with an Access that says so.
type Tool struct {
	Name, Title, Description string
	InputSchema              json.RawMessage // as the model sees it: without the user's argument
	OutputSchema             json.RawMessage // nil where it has none
	ReadOnly, Destructive    bool            // as its annotations claim; never trusted to grant anything
	Idempotent, OpenWorld    bool
	// TaskOnly says that the tool runs only as a task (MCP 2025-11-25, "Tasks"): the
	// server answers at once that it runs, and is asked for the result later.
	TaskOnly bool
	Access   Access
	Raw      json.RawMessage // the whole definition
}

// Resource is one entry of resources/list, or of resources/templates/list; then
// URITemplate is set instead of URI.
type Resource struct {
	URI, URITemplate         string
	Name, Title, Description string
	MIMEType                 string
	Size                     int64 // in bytes; -1 where it is not told
	Access                   Access
	Raw                      json.RawMessage
}

// Prompt is one entry of prompts/list.
type Prompt struct {
	Name, Title, Description string
	Arguments                []PromptArgument
	Access                   Access
	Raw                      json.RawMessage
}

// PromptArgument is one argument of a prompt. Its values are texts.
type PromptArgument struct {
	Name, Title, Description string
	Required                 bool
}

// Content is one part of a result or of a message.
type Content struct {
	Type     string // "text", "image", "audio", "resource", "resource_link", or a newer one
	Text     string // of text, and of embedded text resources
	Data     []byte // of image, audio and embedded binary resources, decoded
	MIMEType string
	URI      string // of resources and links
	Name     string // of links
	Raw      json.RawMessage
}

// CallResult is the answer to tools/call.
type CallResult struct {
	IsError    bool
	Content    []Content
	Structured json.RawMessage // structuredContent; nil where there is none
	Raw        json.RawMessage // the whole result
	Took       time.Duration
}

// ReadResult is the answer to resources/read.
type ReadResult struct {
	Contents []Content
	Raw      json.RawMessage
}

// PromptResult is the answer to prompts/get.
type PromptResult struct {
	Description string
	Messages    []PromptMessage
	Raw         json.RawMessage
}

// PromptMessage is one message of a prompt.
type PromptMessage struct {
	Role    string // "user" or "assistant"
	Content Content
}

// Completion is the answer to completion/complete.
type Completion struct {
	Values  []string
	Total   int // 0 where it is not told
	HasMore bool
}

// CompletionRef says what is being completed: a prompt or a resource template.
type CompletionRef struct {
	Prompt      string // its name, or
	URITemplate string
}

// Event is something that happened without being asked for.
type Event struct {
	Kind     EventKind
	Time     time.Time
	Progress float64 // of EventProgress
	Total    float64 // of EventProgress; 0 where it is not known
	Message  string  // of EventProgress and EventLog
	Level    string  // of EventLog: "debug" to "emergency"
	URI      string  // of EventResourceUpdated
	Call     int64   // of EventProgress: the call that it belongs to, as [CallOptions.Call]
}

// EventKind says what an [Event] is.
type EventKind int

const (
	EventProgress EventKind = iota
	EventLog
	EventToolsChanged
	EventPromptsChanged
	EventResourcesChanged
	EventResourceUpdated
	EventStderr  // Message is a line of the server's standard error
	EventClosed  // the server ended; Message says why
	EventWaiting // Message says what is waited for, since some seconds
	EventWarning // Message is about something odd that the server does
)

// CallOptions are the choices of one tools/call.
type CallOptions struct {
	Call int64 // the caller's own number for it, given back in its events
	// Ask answers what the server asks meanwhile. ctx ends when the question is
	// void: the call was given up, or answered without. Without Ask the server is
	// told that nobody can be asked.
	Ask func(ctx context.Context, e Elicitation) ElicitationAnswer
}

// Elicitation is a question of the server (or of mcpauth: a confirmation, a
// sign-in) to the person, in the middle of a call.
type Elicitation struct {
	Message string
	Own     bool // mcpauth asks, not the server: for a confirmation or a sign-in
	// Waits says that the person is on a page that was opened before; "accept" means
	// that they are done there. The question is void when the server says so.
	Waits  bool
	URL    string          // of URL elicitation: an address to open, after asking
	Schema json.RawMessage // of form elicitation: requestedSchema, flat
}

// ElicitationAnswer is what the person says to it.
type ElicitationAnswer struct {
	Action  string          // "accept", "decline" or "cancel"
	Content json.RawMessage // the form's values, where it was accepted
}
