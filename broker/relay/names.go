package relay

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"
)

// level is an object whose members are read, and so must have one reading only.
type level int

const (
	envelope      level = iota // the message itself
	params                     // its params
	meta                       // params._meta
	arguments                  // params.arguments
	ref                        // params.ref of completion/complete
	notifications              // params.notifications of subscriptions/listen
	argument                   // params.argument of completion/complete
	completing                 // params.context of completion/complete
	task                       // params.task
	named                      // an object whose members have free names
	response                   // a member of params.inputResponses
	result                     // the result of a client's answer
	bag                        // an object in which only reserved members matter
)

// member says which of the members that we read a name stands for.
type member int

const (
	other member = iota
	memberJSONRPC
	memberID
	memberMethod
	memberParams
	memberResult
	memberError
	memberName
	memberURI
	memberArguments
	memberMeta
	memberRef
	memberNotifications
	memberCursor
	memberTask
	memberTaskID
	memberRequestState
	memberInputResponses
	memberRequestID
	memberProtocolVersion
	memberClientInfo
	memberClientCapabilities
	memberCapabilities
	memberRefType
	memberRefName
	memberRefURI
	memberResourceSubscriptions
	memberArgument
	memberArgumentName
	memberArgumentValue
	memberContext
	memberContextArguments
	memberTTL
	memberLevel
	memberPlainMeta
	memberAction
	memberContent
	members // how many there are
)

// protocolName is a name that decides what a message means.
type protocolName struct {
	text   string
	member member
}

// protocolNames lists per level the names that exactly one member may have, in
// exactly one spelling. envelope._meta, arguments._meta and result._meta are not read by us,
// but a backend's helper might look there, so they are opened as bags.
var protocolNames = [...][]protocolName{
	envelope: {
		{"jsonrpc", memberJSONRPC}, {"id", memberID}, {"method", memberMethod},
		{"params", memberParams}, {"result", memberResult}, {"error", memberError},
		{"_meta", memberMeta},
	},
	params: {
		{"name", memberName}, {"uri", memberURI}, {"arguments", memberArguments}, {"_meta", memberMeta},
		{"ref", memberRef}, {"notifications", memberNotifications}, {"cursor", memberCursor},
		{"task", memberTask}, {"taskId", memberTaskID}, {"requestState", memberRequestState},
		{"inputResponses", memberInputResponses}, {"requestId", memberRequestID},
		{"protocolVersion", memberProtocolVersion}, {"clientInfo", memberClientInfo},
		{"capabilities", memberCapabilities}, {"argument", memberArgument}, {"context", memberContext},
		{"level", memberLevel}, {"meta", memberPlainMeta},
	},
	meta: {
		{"io.modelcontextprotocol/protocolVersion", memberProtocolVersion},
		{"io.modelcontextprotocol/clientInfo", memberClientInfo},
		{"io.modelcontextprotocol/clientCapabilities", memberClientCapabilities},
	},
	arguments:     {{"_meta", memberMeta}},
	ref:           {{"type", memberRefType}, {"name", memberRefName}, {"uri", memberRefURI}},
	notifications: {{"resourceSubscriptions", memberResourceSubscriptions}},
	argument:      {{"name", memberArgumentName}, {"value", memberArgumentValue}},
	completing:    {{"arguments", memberContextArguments}},
	task:          {{"ttl", memberTTL}},
	named:         {},
	response:      {{"action", memberAction}, {"content", memberContent}, {"_meta", memberMeta}},
	result:        {{"_meta", memberMeta}, {"action", memberAction}, {"content", memberContent}},
	bag:           {},
}

// lookup finds the member that a quoted name stands for on a level. ok is false
// when the name only resembles a protocol name: another letter case (ſ and K
// fold to s and k), full-width letters, an escape, a NUL, an invisible character.
// One parser takes such a name for the protocol's, another does not.
func lookup(at level, quoted []byte) (which member, ok bool) {
	return lookupIn(protocolNames[at], quoted)
}

func lookupIn(names []protocolName, quoted []byte) (which member, ok bool) {
	name := quoted[1 : len(quoted)-1]
	plain := isPlain(name)
	for _, known := range names {
		if string(name) == known.text {
			return known.member, true
		}
		if plain && len(name) == len(known.text) && strings.EqualFold(string(name), known.text) {
			return other, false
		}
	}
	if plain {
		return other, true
	}
	text := unquoted(quoted)
	for _, known := range names {
		if resembles(text, known.text) {
			return other, false
		}
	}
	return other, true
}

// isPlain reports whether a name is printable ASCII without escapes, so that
// folding its letters is all that a careless parser could do to it.
func isPlain(name []byte) bool {
	for _, c := range name {
		if c < 0x20 || c >= 0x7f || c == '\\' {
			return false
		}
	}
	return true
}

func unquoted(quoted []byte) string {
	text, _ := jsontext.AppendUnquote(nil, quoted) // what is not Unicode becomes U+FFFD
	return string(text)
}

// resembles reports whether a careless parser could take a name for the known
// one: by folding its letters, by dropping what cannot be seen, or by ending it
// at a NUL as C does (GHSA-q382-vc8q-7jhj).
func resembles(name, known string) bool {
	head, _, _ := strings.Cut(name, "\x00")
	known = visible(known)
	return strings.EqualFold(visible(name), known) || strings.EqualFold(visible(head), known)
}

// visible is a name without control and format characters, with characters that
// have another form for compatibility in that form (NFKC), as full-width letters.
func visible(name string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf) {
			return -1
		}
		return r
	}, norm.NFKC.String(name))
}

// Reserved names the members that only the proxy may set. A client's copy is
// removed in any spelling.
type Reserved struct {
	Meta     string // a key of params._meta
	Argument string // a member of params.arguments
}

func (r Reserved) has(quoted []byte) bool {
	name := quoted[1 : len(quoted)-1]
	if isPlain(name) {
		return foldEqual(name, r.Meta) || foldEqual(name, r.Argument)
	}
	text := unquoted(quoted)
	return resembles(text, r.Meta) || resembles(text, r.Argument)
}

func foldEqual(name []byte, text string) bool {
	return len(name) == len(text) && bytes.EqualFold(name, []byte(text))
}
