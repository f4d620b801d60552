package doctor

import (
	"context"
	"io"
	"time"

	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/keychain"
)

// Parts are what the doctor examines, and works with. All are required.
type Parts struct {
	Paths    config.Paths
	Env      func(string) string // as os.Getenv
	Store    keychain.Store
	Accounts *identity.Accounts
	Clients  *clients.Manager
	// Client is the profile as identity wants to know it, with its client secret.
	Client func(context.Context, config.Resolved) (identity.Client, error)
	// Proxy runs the profile's server as for an AI client, until in or ctx ends.
	Proxy func(ctx context.Context, o Options, in io.Reader, out, log io.Writer) error
}

// Options say what to examine.
type Options struct {
	Overrides  config.Overrides
	Environ    []string // as os.Environ gives it: for the server, and to compare
	Executable string   // path of this program; empty when it is not known
	Version    string   // of this program
}

// examination is one run of the doctor.
type examination struct {
	Parts
	Options
	goos       string
	config     config.File
	configErr  error
	resolved   config.Resolved
	resolveErr error
	files      []Finding // of the first check
}

// How long a check may take.
const (
	quickCheck  = 5 * time.Second
	slowCheck   = 15 * time.Second
	serverCheck = 20 * time.Second // npx and uvx may fetch the server first
	// checkGrace is for a check that ends by itself when its time is over, and has
	// a server to stop.
	checkGrace = 2 * time.Second
)
