package audit

import "time"

// What happened, for [Record.Event].
const (
	Call            = "call"             // a call to the backend, about to leave
	Login           = "login"            // a sign-in was finished
	Logout          = "logout"           // a sign-in was ended by the user
	Token           = "token"            // an access token was handed to a script
	RefusedIdentity = "refused_identity" // a verified identity was not accepted
)

// What was decided, for [Record.Decision].
const (
	Allow     = "allow"
	Deny      = "deny"       // by policy
	SignedOut = "signed_out" // nobody is signed in
	Refused   = "refused"    // not a message that may be passed on
)

// Record is one line of the audit file. Of arguments it holds names and sizes,
// never values, and of the user what people can recognise, never a token.
//
// Strings may come from anywhere and hold anything: each is cut to a bound of its
// own (in brackets, in bytes of JSON text) and escaped.
type Record struct {
	// Time is when it happened; the zero time means now. It is written in UTC
	// with milliseconds (RFC 3339).
	Time time.Time `json:"time"`
	// ID is unique, and sorts by time. Empty means that Append makes one. [32]
	ID    string `json:"id"`
	Event string `json:"event"` // Call, Login… [32]

	Profile       string `json:"profile,omitempty"`        // [64]
	Sub           string `json:"sub,omitempty"`            // the user, as the issuer names it [256]
	Email         string `json:"email,omitempty"`          // [256]
	Client        string `json:"client,omitempty"`         // the AI client's name, as it says itself [128]
	ClientVersion string `json:"client_version,omitempty"` // [64]
	Server        string `json:"server,omitempty"`         // the wrapped command, for people [256]
	PID           int    `json:"pid"`                      // of the proxy; 0 means this process

	Method   string `json:"method,omitempty"`   // of MCP [128]
	Name     string `json:"name,omitempty"`     // tool or prompt name, or resource URI [512]
	Decision string `json:"decision,omitempty"` // Allow, Deny… [16]
	Reason   string `json:"reason,omitempty"`   // for people [256]

	// Arguments are those of a tool, as many as fit in 1,400 bytes of JSON text.
	Arguments []Argument `json:"arguments,omitempty"`
	// ArgumentsCut is the number of arguments that did not fit.
	ArgumentsCut int `json:"arguments_cut,omitempty"`
	// Spoofed says that the client tried to supply the user's identity itself.
	Spoofed bool `json:"spoofed,omitempty"`
	// Cut is the number of bytes that did not fit in the strings above.
	Cut int `json:"cut,omitempty"`
}

// Argument is the name of a tool's argument and the size of its value as JSON.
type Argument struct {
	Name  string `json:"name"` // [64]
	Bytes int    `json:"bytes"`
}
