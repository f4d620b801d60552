package gate

import (
	"encoding/json"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
)

// userText keeps the JSON text of the user, which is the same from call to
// call: writing it again would cost more than all else that the gate does.
type userText struct {
	last atomic.Pointer[writtenUser]
}

type writtenUser struct {
	user *identity.User
	text []byte
}

// of returns the user as JSON. The caller must not change it, nor the user later.
func (u *userText) of(user *identity.User) *writtenUser {
	if last := u.last.Load(); last != nil && (last.user == user || reflect.DeepEqual(last.user, user)) {
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

// userView keeps the policy as the user of one session sees it, which is the same
// from call to call.
type userView struct {
	last atomic.Pointer[compiledView]
}

type compiledView struct {
	policy *policy.Policy
	now    *identity.Snapshot
	view   *policy.View
}

// of returns what a policy says to the user of a session about a server. Without a
// sign-in that is what it says to nobody.
func (u *userView) of(p *policy.Policy, now *identity.Snapshot, server string) *policy.View {
	if last := u.last.Load(); last != nil && last.policy == p && sameProof(last.now, now) {
		return last.view
	}
	view := p.For(PolicyUser(now), server)
	u.last.Store(&compiledView{p, now, view})
	return view
}

// sameProof reports whether two snapshots say the same to a policy.
func sameProof(a, b *identity.Snapshot) bool {
	return a == b || a.State == b.State && a.ACR == b.ACR && reflect.DeepEqual(&a.User, &b.User) &&
		slices.Equal(a.Unreadable, b.Unreadable) &&
		// A session makes a new map when it makes a new user.
		reflect.ValueOf(a.Claims).Pointer() == reflect.ValueOf(b.Claims).Pointer()
}

// PolicyUser is what the policy may know of a user.
func PolicyUser(now *identity.Snapshot) policy.User {
	if now.State != identity.SignedIn {
		return policy.User{}
	}
	u := now.User
	user := policy.User{
		Sub: u.Sub, Groups: u.Groups, Roles: u.Roles, Scopes: u.Scopes, ACR: now.ACR, Claims: now.Claims,
		Unreadable: slices.Clone(now.Unreadable),
	}
	if u.EmailCounts {
		user.Email = u.Email
	} else {
		user.UnverifiedEmail = u.Claimed.Email
	}
	for _, gap := range u.Claimed.Gaps {
		user.Unreadable = append(user.Unreadable, gap.Claim)
	}
	if u.AuthTime != 0 {
		user.AuthTime = time.Unix(u.AuthTime, 0)
	}
	return user
}
