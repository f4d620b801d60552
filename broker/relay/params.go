package relay

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// RequestState is the decoded params.requestState of a retried call (MCP
// 2026-07-28, "Multi round-trip requests").
func (m *Message) RequestState() string { return m.decoded(memberRequestState) }

// RetryMembers are the members of params that make a call the retry of an
// earlier one, as the client spelled them, each followed by a comma.
func (m *Message) RetryMembers() []byte {
	var members []byte
	for _, name := range []struct {
		text   string
		member member
	}{{"requestState", memberRequestState}, {"inputResponses", memberInputResponses}} {
		if text := m.text(name.member); text != nil {
			members = append(members, memberText(name.text, text, true)...)
		}
	}
	return members
}

// InputResponses is the text of params.inputResponses of a retried call, or nil.
func (m *Message) InputResponses() []byte { return m.text(memberInputResponses) }

// WithRetryMembers is the line with other members that make it a retry, in the
// form that RetryMembers gives them; none make it a first call.
func (m *Message) WithRetryMembers(members []byte) []byte {
	text := m.Bytes()
	where := m.members[memberParams]
	open := m.objects[paramsObject].open
	if open == 0 {
		return bytes.Clone(text)
	}
	var cuts []span
	cutter := newCutter(&cuts, open)
	dec := jsontext.NewDecoder(bytes.NewBuffer(text[where.from:where.to]), jsontext.AllowDuplicateNames(true))
	at := func() int { return where.from + int(dec.InputOffset()) }
	_, _ = dec.ReadToken() // every step was read before, so none fails
	for dec.PeekKind() == '"' {
		name, _ := dec.ReadValue()
		from := at() - len(name)
		if string(name) == `"requestState"` || string(name) == `"inputResponses"` {
			_ = dec.SkipValue()
			cutter.cut(at())
			continue
		}
		cutter.keep(from)
		_ = dec.SkipValue()
		cutter.kept(at())
	}
	if cutter.close() {
		members = bytes.TrimSuffix(members, []byte{','})
	}
	line := append(bytes.Clone(text[:open]), members...)
	from := open
	for _, cut := range cuts {
		line = append(line, text[from:cut.from]...)
		from = cut.to
	}
	return append(line, text[from:]...)
}
