package main

import (
	"encoding/json"
	"errors"

	"github.com/mark3labs/mcp-go/mcp"
)

// userKey is where mcpauth puts the user: params._meta[userKey]. It removes
// whatever a client sends under this name, so behind mcpauth the value can be
// trusted.
const userKey = "io.github.mcpauth/user"

var errNotSignedIn = errors.New("nobody is signed in: start this server with `mcpauth proxy -- PROGRAM`")

// user is what this server needs of a user. docs/user-context.md lists all
// there is.
type user struct {
	Sub    string   `json:"sub"`
	Issuer string   `json:"issuer"`
	Email  string   `json:"email,omitempty"`
	Name   string   `json:"name,omitempty"`
	Groups []string `json:"groups"`
}

// userOf is the user of one request. Ask again for each request and never
// remember it: another person may sign in while this process lives on.
func userOf(meta *mcp.Meta) (user, error) {
	if meta == nil {
		return user{}, errNotSignedIn
	}
	return checked(meta.AdditionalFields[userKey])
}

// checked reads a user that mcpauth has filled in, or refuses: a server that
// guesses one gives somebody else's data away.
func checked(filledIn any) (user, error) {
	text, err := json.Marshal(filledIn)
	if err != nil {
		return user{}, errNotSignedIn
	}
	var u user
	if err := json.Unmarshal(text, &u); err != nil || u.Sub == "" {
		return user{}, errNotSignedIn
	}
	return u, nil
}
