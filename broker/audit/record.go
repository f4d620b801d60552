package audit

import "time"

// What happened, for [Record.Event].
const (
	Start           = "start"            // a program began to write to the file
	Call            = "call"             // a call to the backend, about to leave
	Result          = "result"           // the answer to a call, or the end of the wait for it
	Message         = "message"          // a line of the client that was not read
	Login           = "login"            // a sign-in was finished
	Logout          = "logout"           // a sign-in was ended by the user
	Lock            = "lock"             // a profile was locked or unlocked
	Token           = "token"            // an access token was handed to a script
	RefusedIdentity = "refused_identity" // a verified identity was not accepted
	PolicyChanged   = "policy"           // a running proxy took another policy
	Removed         = "removed"          // an old file was removed, as the configuration asks
	Gap             = "gap"              // results were not recorded
)

// What was decided, for [Record.Decision].
const (
	Allow     = "allow"
	Deny      = "deny"       // by policy
	SignedOut = "signed_out" // nobody is signed in
	Refused   = "refused"    // not a message that may be passed on
)

// How a call ended, for [Record.Status].
const (
	OK         = "ok"
	ToolError  = "tool_error" // a result that says isError
	Failed     = "error"      // a JSON-RPC error; Code is its code
	Streamed   = "streamed"   // an answer that passed while it was read
	Cancelled  = "cancelled"  // the client gave the call up; its answer may have come all the same
	Unanswered = "unanswered" // the proxy ended first, or it no longer waited
)

// Record is one line of an audit file. Of arguments it holds names, sizes and keyed
// hashes, and their values only where that was asked for; of the user what people
// can recognise, never a token.
//
// Strings may come from anywhere and hold anything: each is cut to a bound of its
// own (in brackets, in bytes of JSON text) and escaped.
type Record struct {
	// Seq is the number of the record within its file, from 1.
	Seq int64 `json:"seq"`
	// Prev is the Hash of the record before it, 64 zeros for the first.
	Prev string `json:"prev"`

	// Time is when it happened; the zero time means now. It is written in UTC
	// with milliseconds (RFC 3339).
	Time time.Time `json:"time"`
	// ID is unique, and sorts by time. Empty means that Append makes one. [32]
	ID    string `json:"id"`
	Event string `json:"event"` // Call, Login… [32]

	// Call is the ID of the call that a Result belongs to. [32]
	Call string `json:"call,omitempty"`

	Profile       string `json:"profile,omitempty"`        // [64]
	Sub           string `json:"sub,omitempty"`            // the user, as the issuer names it [256]
	Email         string `json:"email,omitempty"`          // [256]
	Client        string `json:"client,omitempty"`         // the AI client's name, as it says itself [128]
	ClientVersion string `json:"client_version,omitempty"` // [64]
	ClientID      string `json:"client_id,omitempty"`      // the OAuth client that the user signed in to [256]
	Server        string `json:"server,omitempty"`         // the wrapped command, for people [256]
	Session       string `json:"session,omitempty"`        // the MCP session, of an ID's form [32]
	Instance      string `json:"instance,omitempty"`       // the running program; empty means Options.Instance [128]
	PID           int    `json:"pid"`                      // of the proxy; 0 means this process

	Method   string `json:"method,omitempty"`   // of MCP [128]
	Name     string `json:"name,omitempty"`     // tool or prompt name, or resource URI [512]
	Decision string `json:"decision,omitempty"` // Allow, Deny… [16]
	Reason   string `json:"reason,omitempty"`   // the rule that decided, or why, for people [256]

	// Arguments are those of a tool, as many as fit in 8,000 bytes of JSON text.
	Arguments []Argument `json:"arguments,omitempty"`
	// ArgumentsCut is the number of arguments that did not fit.
	ArgumentsCut int `json:"arguments_cut,omitempty"`
	// Spoofed says that the client tried to supply the user's identity itself.
	Spoofed bool `json:"spoofed,omitempty"`

	Status string `json:"status,omitempty"` // of a Result: OK, ToolError… [16]
	Code   int    `json:"code,omitempty"`   // of a JSON-RPC error, of the server's or, where it is Unanswered, of ours
	Bytes  int    `json:"bytes,omitempty"`  // size of the answer; 0 where it was not held as a whole
	Micros int64  `json:"micros,omitempty"` // from the record of the call to the answer, in µs

	File    string `json:"file,omitempty"`    // of Start: the file's own name; of Removed: which one [64]
	Version string `json:"version,omitempty"` // of Start: of mcpauth [64]
	Policy  string `json:"policy,omitempty"`  // of Start and PolicyChanged: names the policy in force [128]
	// Torn is, of Start, the size of half a record that a full disk or a crash
	// left at the end of the file, in bytes. It was taken away.
	Torn int `json:"torn,omitempty"`
	// Damaged is, of Start, a file of today that was found changed by others. It
	// is left as it is. [64]
	Damaged string `json:"damaged,omitempty"`

	// Witness is, of Start, another file of the folder, with the number and the hash of a
	// record of it: where its chain ended when the program began. So a file that is taken
	// away, or cut, together with its line in the heads file is missed. [64]
	Witness     string `json:"witness,omitempty"`
	WitnessSeq  int64  `json:"witness_seq,omitempty"`
	WitnessHash string `json:"witness_hash,omitempty"` // [64]
	// Through is, of Removed, the newest file whose own Removed was in the file: what is
	// older was removed, too. [64]
	Through string `json:"through,omitempty"`

	// Cut is the number of bytes that did not fit in the strings above.
	Cut int `json:"cut,omitempty"`

	// Hash is SHA-256 in hex over all that stands before it in the line.
	Hash string `json:"hash"`
}

// Outcome is how a call ended: what the record of a Result tells. Its members are
// those of [Record].
type Outcome struct {
	Time   time.Time
	Call   string
	Method string
	Name   string
	Status string
	Code   int
	Bytes  int
	Micros int64
}

func (o *Outcome) record() Record {
	return Record{
		Time: o.Time, Event: Result, Call: o.Call, Method: o.Method, Name: o.Name,
		Status: o.Status, Code: o.Code, Bytes: o.Bytes, Micros: o.Micros,
	}
}

// Argument is the name of a tool's argument and what may be told of its value.
type Argument struct {
	Name  string `json:"name"`            // [64]
	Bytes int    `json:"bytes"`           // size of the value as JSON
	Hash  string `json:"hash,omitempty"`  // of the value, by [Key.Hash] [16]
	Value string `json:"value,omitempty"` // JSON text, by [Redact]; only by choice [512]
}
