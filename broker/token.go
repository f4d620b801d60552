package broker

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
)

// Access is an access token that is about to leave mcpauth.
type Access = identity.Access

// AccessToken returns an access token for a script, with atLeast left to live
// where the provider's tokens live that long; it refreshes as running proxies
// do. It is put on record before it is returned, and refused if that fails.
// Errors are *Problem.
func (b *Broker) AccessToken(ctx context.Context, r Resolved, atLeast time.Duration) (Access, error) {
	client, err := b.client(ctx, r)
	if err != nil {
		return Access{}, AsProblem(err)
	}
	// Read with the patience of a command first: a session's is that of a proxy,
	// and the keychain may have to be unlocked.
	if _, err := b.accounts.Status(ctx, client); err != nil {
		return Access{}, AsProblem(err)
	}
	access, err := b.accounts.Access(ctx, client, atLeast)
	record := audit.Record{Event: audit.Token, Profile: r.Name, Decision: audit.Allow,
		Sub: access.User.Sub, Email: access.User.Email}
	if errors.Is(err, identity.ErrSignedOut) {
		record.Decision, record.Reason = audit.SignedOut, err.Error()
	} else if err != nil {
		return Access{}, AsProblem(err)
	}
	if err := b.record(record); err != nil {
		return Access{}, &Problem{
			Msg:   "the token is not given out, because that could not be recorded: " + err.Error(),
			Hints: []string{"make room or mend the rights of " + filepath.Join(b.Paths.StateDir, "audit")},
			Code:  ExitError, Err: err,
		}
	}
	if errors.As(err, new(*identity.LockedError)) {
		return Access{}, AsProblem(err)
	}
	if err != nil {
		return Access{}, &Problem{Msg: "profile " + r.Name + ": " + err.Error(),
			Hints: []string{loginCommand(r.Name)}, Code: ExitSignInNeeded, Err: err}
	}
	return access, nil
}
