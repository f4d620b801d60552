package broker

import (
	"errors"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/identity"
)

// Sign-ins, sign-outs and locks are logged after they happened. A failure undoes none of
// them: sign-out and lock must always work, and calls that cannot be logged are refused.

// recordLogin logs a sign-in, or that a verified identity was refused.
func (b *Broker) recordLogin(r config.Resolved, user User, err error) {
	var invalid *identity.VerifyError
	switch {
	case err == nil:
		_ = b.record(recordOf(audit.Login, r.Name, user, audit.Allow, ""))
	case errors.As(err, &invalid):
		_ = b.record(recordOf(audit.RefusedIdentity, r.Name, User{}, audit.Refused, invalid.Error()))
	}
}

// recordLogout logs a sign-out.
func (b *Broker) recordLogout(r config.Resolved, user User) {
	if user.Sub != "" {
		_ = b.record(recordOf(audit.Logout, r.Name, user, "", ""))
	}
}

// recordLock logs that a profile was locked or unlocked.
func (b *Broker) recordLock(what string, r config.Resolved, user User, err error) {
	if err == nil {
		_ = b.record(recordOf(audit.Lock, r.Name, user, "", what))
	}
}

func recordOf(event, profile string, user User, decision, reason string) audit.Record {
	r := audit.Record{Event: event, Profile: profile, Sub: user.Sub, Email: user.Email, ClientID: user.ClientID}
	r.Decision, r.Reason = decision, reason
	return r
}
