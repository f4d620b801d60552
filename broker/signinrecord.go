package broker

import (
	"errors"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
)

// Sign-ins, sign-outs and locks are recorded when they have happened. A record that
// fails undoes none of them: a person must always be able to sign out and to lock,
// and after a sign-in every call is refused that cannot be recorded.

// recordLogin records a sign-in, or that a verified identity was not taken. A
// sign-in that was not finished is no event.
func (b *Broker) recordLogin(r Resolved, user User, err error) {
	var invalid *identity.VerifyError
	switch {
	case err == nil:
		b.note(audit.Record{Event: audit.Login, Profile: r.Name, Sub: user.Sub, Email: user.Email, Decision: audit.Allow})
	case errors.As(err, &invalid):
		b.note(audit.Record{Event: audit.RefusedIdentity, Profile: r.Name, Decision: audit.Refused, Reason: invalid.Error()})
	}
}

// recordLogout records that somebody was signed out.
func (b *Broker) recordLogout(r Resolved, user User) {
	if user.Sub != "" {
		b.note(audit.Record{Event: audit.Logout, Profile: r.Name, Sub: user.Sub, Email: user.Email})
	}
}

// recordLock records what became of the lock.
func (b *Broker) recordLock(what string, r Resolved, user User, err error) {
	if err == nil {
		b.note(audit.Record{Event: audit.Lock, Profile: r.Name, Sub: user.Sub, Email: user.Email, Reason: what})
	}
}

// note records what has happened anyway.
func (b *Broker) note(r audit.Record) { _ = b.record(r) }
