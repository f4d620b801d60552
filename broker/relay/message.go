package relay

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Kind is what a message is by JSON-RPC 2.0.
type Kind int

// The kinds of messages.
const (
	Call         Kind = iota + 1 // a request: it has an id and is owed one answer
	Notification                 // a method without an id
	Response                     // an answer to a request
)

// span is a range of a line; the zero span is an absent member.
type span struct{ from, to int }

func (s span) present() bool { return s.to > 0 }

// Message is one line of the client, read strictly. It refers to the line that
// it was parsed from and is valid as long as that is.
type Message struct {
	kind    Kind
	line    []byte        // of a short line
	held    *spool        // of a long one
	members [members]span // value of each member that we read
	first   [members]byte // first byte of the value of each member of the envelope
	objects [2]object     // params and params.arguments, where members are inserted
	metaAt  object        // params._meta
	cuts    []span        // reserved members that the client sent, in order
	args    []argumentAt  // members of params.arguments, without the reserved ones
	method  string
	name    string
	now     time.Time // when it is judged, or zero
	room    []edit    // for edits
	words   []byte    // for the texts of those
}

// argumentAt is one member of params.arguments.
type argumentAt struct {
	name  string
	value span
}

// object is where members can be put in: behind its brace.
type object struct {
	open  int  // offset behind '{'; 0 when there is no such object
	empty bool // nothing stays in it
}

const (
	paramsObject = iota
	argumentsObject
)

// Kind says whether the message is a call, a notification or a response.
func (m *Message) Kind() Kind { return m.kind }

// Bytes is the line as it was judged, without its line end: the client's own
// bytes, but for raw control bytes between tokens, which are blanks now.
func (m *Message) Bytes() []byte {
	if m.held == nil {
		return m.line
	}
	return m.held.read(span{0, m.held.size})
}

func (m *Message) size() int {
	if m.held == nil {
		return len(m.line)
	}
	return m.held.size
}

// read is a part of the line.
func (m *Message) read(part span) []byte {
	if m.held == nil {
		return m.line[part.from:part.to]
	}
	return m.held.read(part)
}

// Now is when the message is judged.
func (m *Message) Now() time.Time {
	if m.now.IsZero() {
		return time.Now()
	}
	return m.now
}

// ID is the text of the id as the client spelled it, or nil.
func (m *Message) ID() []byte { return m.text(memberID) }

// Method is the decoded method, empty for a response.
func (m *Message) Method() string { return m.method }

// Name is params.name: of a tool or a prompt.
func (m *Message) Name() string { return m.name }

// URI is params.uri: of a resource.
func (m *Message) URI() string { return m.decoded(memberURI) }

// Subject is what the server will take the message to be about: the URI of a resource,
// else params.name. Of a method that MCP does not know it is whichever is there.
func (m *Message) Subject() string {
	switch method := m.Method(); {
	case strings.HasPrefix(method, "resources/"):
		return m.URI()
	case method == "tools/call", method == "prompts/get", m.Name() != "":
		return m.Name()
	}
	return m.URI()
}

// RequestID is the text of params.requestId of notifications/cancelled, or nil.
func (m *Message) RequestID() []byte { return m.text(memberRequestID) }

// ClientInfo is the text of the clientInfo of initialize or of a modern
// request's _meta, or nil.
func (m *Message) ClientInfo() []byte { return m.text(memberClientInfo) }

// EachArgument calls f with the decoded name of each argument, the size of its JSON
// text in bytes and a way to read that, in the client's order: for the first 10,000.
func (m *Message) EachArgument(f func(name string, size int, value func() []byte)) {
	for _, a := range m.args {
		f(a.name, a.value.to-a.value.from, func() []byte { return m.read(a.value) })
	}
}

// Cursor is the text of params.cursor of a list method, or nil.
func (m *Message) Cursor() []byte { return m.text(memberCursor) }

// CompletedArgument is the name of the argument that a completion/complete asks for.
func (m *Message) CompletedArgument() string { return m.decoded(memberArgumentName) }

// CompletionContext is what a completion/complete says of other arguments: those that
// are strings, by name.
func (m *Message) CompletionContext() map[string]string {
	var given map[string]RawValue
	if DecodeStrict(m.text(memberContextArguments), &given) != nil {
		return nil
	}
	known := make(map[string]string, len(given))
	for name, value := range given {
		if value.Kind() == '"' {
			known[name] = decodeString(value)
		}
	}
	return known
}

// Level is the text of params.level of logging/setLevel, or nil.
func (m *Message) Level() []byte { return m.text(memberLevel) }

// Notifications is the text of params.notifications of subscriptions/listen, or nil.
func (m *Message) Notifications() []byte { return m.text(memberNotifications) }

// Capabilities is the text of the client's capabilities: of initialize, or of a
// modern request's _meta; nil when it does not say.
func (m *Message) Capabilities() []byte {
	if text := m.text(memberClientCapabilities); text != nil {
		return text
	}
	return m.text(memberCapabilities)
}

// Meta is the text of params._meta as the client sent it, or nil.
func (m *Message) Meta() []byte { return m.text(memberMeta) }

// Modern reports whether the message is of the protocol without a handshake
// (2026-07-28 and later), where each request names its version in _meta.
func (m *Message) Modern() bool {
	return m.metaAt.open > 0 && m.members[memberProtocolVersion].from > m.metaAt.open
}

// ModernMeta is a _meta that makes a request of ours belong to the same client
// as this modern one: its protocol version, client info and capabilities, and
// nothing else that it sent.
func (m *Message) ModernMeta() []byte {
	object := []byte{'{'}
	for _, name := range protocolNames[meta] {
		if text := m.text(name.member); text != nil {
			object = append(object, memberText(name.text, text, true)...)
		}
	}
	return append(bytes.TrimSuffix(object, []byte{','}), '}')
}

// Spoofed reports whether the client tried to set a reserved member.
func (m *Message) Spoofed() bool { return len(m.cuts) > 0 }

// Clone is a copy that outlives the line. What holds a long line goes over to
// the copy.
func (m *Message) Clone() *Message {
	clone := *m
	clone.line = bytes.Clone(m.line)
	m.held = nil
	clone.cuts = slices.Clone(m.cuts)
	clone.args = slices.Clone(m.args)
	clone.room, clone.words = nil, nil
	return &clone
}

// release gives back what holds a long line.
func (m *Message) release() {
	if m.held != nil {
		m.held.close()
	}
}

func (m *Message) text(which member) []byte {
	s := m.members[which]
	if !s.present() {
		return nil
	}
	return m.read(s)
}

func (m *Message) decoded(which member) string {
	text := m.text(which)
	if len(text) < 2 || text[0] != '"' {
		return ""
	}
	return decodeString(text)
}

// decodeString decodes a valid quoted string.
func decodeString(quoted []byte) string { return wordBook(nil).decode(quoted) }

// wordBook holds texts that come again and again. To find one there costs no memory.
type wordBook map[string]string

const (
	maxWords = 500 // more than that are no names, but made-up texts
	maxWord  = 100 // bytes
)

// decode decodes a valid quoted string.
func (w wordBook) decode(quoted []byte) string {
	if len(quoted) < 2 {
		return "" // not reached but where a held line cannot be read
	}
	plain := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(plain, '\\') >= 0 {
		text, _ := jsontext.AppendUnquote(nil, quoted)
		return string(text)
	}
	word, known := w[string(plain)]
	if known {
		return word
	}
	word = string(plain)
	if w != nil && len(w) < maxWords && len(word) <= maxWord {
		w[word] = word
	}
	return word
}
