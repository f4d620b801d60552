package broker

import (
	"encoding/json"
	"slices"
	"sync/atomic"

	"github.com/mcpauth/mcpauth/broker/identity"
)

// userText keeps the JSON text of the user, which is the same from call to
// call: writing it anew would cost more than all else that the gate does.
type userText struct {
	last atomic.Pointer[writtenUser]
}

type writtenUser struct {
	user *identity.User
	text []byte
}

// of returns the user as JSON. The caller must not change it, nor the user later.
func (u *userText) of(user *identity.User) *writtenUser {
	if last := u.last.Load(); last != nil && (last.user == user || sameUser(last.user, user)) {
		return last
	}
	text, err := json.Marshal(user)
	if err != nil {
		panic(err) // strings, integers and lists of strings always encode
	}
	written := &writtenUser{user, text}
	u.last.Store(written)
	return written
}

func sameUser(a, b *identity.User) bool {
	return a.Sub == b.Sub && a.UserID == b.UserID && a.ExpiresAt == b.ExpiresAt && a.AuthTime == b.AuthTime &&
		a.Email == b.Email && a.Name == b.Name && a.GivenName == b.GivenName && a.FamilyName == b.FamilyName &&
		a.PreferredUsername == b.PreferredUsername &&
		a.Issuer == b.Issuer && a.ClientID == b.ClientID && a.Profile == b.Profile &&
		slices.Equal(a.Groups, b.Groups) && slices.Equal(a.Roles, b.Roles) &&
		slices.Equal(a.Scopes, b.Scopes) && slices.Equal(a.Audience, b.Audience) && slices.Equal(a.Warnings, b.Warnings)
}
