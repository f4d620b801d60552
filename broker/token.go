package broker

import (
	"context"
	"errors"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/problem"
)

// Access is an access token that is about to leave mcpauth.
type Access = identity.Access

// Token returns an access token for a script, with atLeast left to live
// where the provider's tokens live that long; it refreshes as running proxies
// do. It is logged before it is returned, and refused if that fails.
// Errors are *problem.Problem.
func (b *Broker) Token(ctx context.Context, r config.Resolved, atLeast time.Duration) (Access, error) {
	client, err := b.client(ctx, r)
	if err != nil {
		return Access{}, problem.Of(err)
	}
	// Read with the patience of a command first: a session's is that of a proxy,
	// and the keychain may have to be unlocked.
	if _, err := b.accounts.Status(ctx, client); err != nil {
		return Access{}, problem.Of(err)
	}
	access, err := b.accounts.Access(ctx, client, atLeast)
	record := recordOf(audit.Token, r.Name, access.User, audit.Allow, "")
	if errors.Is(err, identity.ErrSignedOut) {
		record.Decision, record.Reason = audit.SignedOut, err.Error()
	} else if err != nil {
		return Access{}, problem.Of(err)
	}
	if err := b.record(record); err != nil {
		return Access{}, &problem.Problem{
			Msg:   "the token is not given out, because that could not be recorded: " + err.Error(),
			Hints: []string{"make room or fix the rights of " + b.Paths.AuditDir()},
			Code:  problem.ExitError, Err: err,
		}
	}
	if errors.As(err, new(*identity.LockedError)) {
		return Access{}, problem.Of(err)
	}
	if err != nil {
		return Access{}, &problem.Problem{Msg: "profile " + r.Name + ": " + err.Error(),
			Hints: []string{problem.LoginCommand(r.Name)}, Code: problem.ExitSignInNeeded, Err: err}
	}
	return access, nil
}
