package mcpclient

import (
	"encoding/json"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// Gate is what stands between the client and the server, and knows more of the
// messages that pass than they say.
type Gate interface {
	// Server is what messages call the server.
	Server() string
	// ExitReason says why the server ended. It is empty while it runs.
	ExitReason() string
	// TakeHidden returns what the last answer to a list method lost on its way.
	TakeHidden(method string) []json.RawMessage
	// Own reports, once, whether a request to the client, or an answer, comes from
	// the gate itself: by the JSON text of its id.
	Own(id string) bool
	// Refusal returns, once, why the gate refused a call; nil for one that passed.
	Refusal(id string) *problem.Problem
	// Access is what the policy says to an item: kind is "tool", "resource",
	// "template" or "prompt".
	Access(kind, name string) Access
	// Close ends the server and waits for that.
	Close()
}

// Plain is a gate that only knows what the server is called and how it is ended: the
// client learns no more than an AI client.
type Plain struct {
	Name string
	End  func()
}

// Server implements Gate, as the rest.
func (p Plain) Server() string                      { return p.Name }
func (p Plain) ExitReason() string                  { return "" }
func (p Plain) TakeHidden(string) []json.RawMessage { return nil }
func (p Plain) Own(string) bool                     { return false }
func (p Plain) Refusal(string) *problem.Problem     { return nil }
func (p Plain) Access(string, string) Access        { return Access{Allowed: true} }
func (p Plain) Close()                              { p.End() }
