package identity

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcpauth/mcpauth/keychain"
)

// record is one sign-in with its tokens. It is never changed once others can
// see it; a new state is a new record.
type record struct {
	issuer       string
	clientID     string
	access       keychain.Secret
	refresh      keychain.Secret
	user         User
	fromUserinfo []string // profile claims that the ID token lacks and userinfo is asked for
	obtainedAt   time.Time
	expiresAt    time.Time
	signedInAt   time.Time
	extraScopes  []string        // asked for by --scope, now and before
	acr          string          // of the ID token
	idToken      keychain.Secret // for the end of the session at the provider
	machine      bool            // of client_credentials: there is no person, and its secret renews it
	dead         string          // why the provider ended the sign-in; then there are no tokens
}

// tokens are what a token response gives.
type tokens struct {
	access, refresh keychain.Secret
	scopes          string // separated by spaces
	scopesWhole     bool   // false when the provider said more of them than could be read
	lifetime        time.Duration
}

// newRecord leaves signedInAt and fromUserinfo to the caller.
func newRecord(c Client, u User, t tokens, now time.Time) *record {
	expires := now.Add(t.lifetime)
	u.Scopes = append([]string{}, strings.Fields(t.scopes)...)
	u.ExpiresAt = expires.Unix()
	u.Claimed.setGap("scopes", t.scopesWhole, oddFormText)
	u.judge(c)
	return &record{
		issuer: c.Issuer, clientID: c.ClientID,
		access: t.access, refresh: t.refresh, user: u,
		obtainedAt: now, expiresAt: expires,
	}
}

const (
	unsaidLifetime = time.Hour // of an access token without expires_in
	maxLifetime    = 365 * 24 * time.Hour
)

// lifetime judges expires_in, in seconds.
func lifetime(expiresIn int64) time.Duration {
	if expiresIn <= 0 {
		return unsaidLifetime
	}
	return time.Duration(min(expiresIn, int64(maxLifetime/time.Second))) * time.Second
}

const recordVersion = 1

// storedRecord is the form of a record in the keychain, JSON. It is the only
// type of the package that holds tokens as plain strings, and lives only as
// long as it takes to write or read one.
type storedRecord struct {
	Version      int      `json:"version"`
	Issuer       string   `json:"issuer"`
	ClientID     string   `json:"client_id"`
	AccessToken  string   `json:"access_token,omitempty"`
	RefreshToken string   `json:"refresh_token,omitempty"`
	User         User     `json:"user"`
	Claimed      *Claimed `json:"claimed,omitempty"`
	FromUserinfo []string `json:"from_userinfo,omitempty"`
	ObtainedAt   int64    `json:"obtained_at"`  // seconds since the epoch, as all times here
	ExpiresAt    int64    `json:"expires_at"`   // end of the access token
	SignedInAt   int64    `json:"signed_in_at"` // when the person signed in
	ExtraScopes  []string `json:"extra_scopes,omitempty"`
	ACR          string   `json:"acr,omitempty"`
	IDToken      string   `json:"id_token,omitempty"`
	Machine      bool     `json:"machine,omitempty"`
	Dead         string   `json:"dead,omitempty"`
}

func (r *record) encode() (keychain.Secret, error) {
	text, err := json.Marshal(storedRecord{
		Version:      recordVersion,
		Issuer:       r.issuer,
		ClientID:     r.clientID,
		AccessToken:  r.access.Reveal(),
		RefreshToken: r.refresh.Reveal(),
		User:         r.user,
		Claimed:      &r.user.Claimed,
		FromUserinfo: r.fromUserinfo,
		ObtainedAt:   r.obtainedAt.Unix(),
		ExpiresAt:    r.expiresAt.Unix(),
		SignedInAt:   r.signedInAt.Unix(),
		ExtraScopes:  r.extraScopes,
		ACR:          r.acr,
		IDToken:      r.idToken.Reveal(),
		Machine:      r.machine,
		Dead:         r.dead,
	})
	if err != nil {
		return keychain.Secret{}, errors.New("the sign-in has no JSON form") // err may quote a token
	}
	return keychain.NewSecret(string(text)), nil
}

// decodeRecord refuses what was not stored for this issuer and client:
// credentials must never travel to another provider, whatever a user wrote
// into the keychain.
func decodeRecord(text keychain.Secret, c Client) (*record, error) {
	var s storedRecord
	if err := json.Unmarshal([]byte(text.Reveal()), &s); err != nil {
		return nil, &RecordError{Reason: "it is not what mcpauth writes"} // err may quote a token
	}
	switch {
	case s.Version != recordVersion:
		return nil, &RecordError{Reason: fmt.Sprintf("it has version %d, and this mcpauth knows %d", s.Version, recordVersion)}
	case s.Issuer != c.Issuer:
		return nil, &RecordError{Reason: "it is for another issuer, " + clean(s.Issuer)}
	case s.ClientID != c.ClientID:
		return nil, &RecordError{Reason: "it is for another client_id, " + clean(s.ClientID)}
	case s.Machine != c.Machine:
		return nil, &RecordError{Reason: "it was made with another grant than the profile has now"}
	case s.User.Sub == "" || (s.AccessToken == "" && s.Dead == ""):
		return nil, &RecordError{Reason: "it is incomplete"}
	}
	user := s.User.clone()
	if user.Claimed = (Claimed{Email: user.Email}); s.Claimed != nil { // an older mcpauth did not keep it
		user.Claimed = *s.Claimed
	}
	user.judge(c)
	return &record{
		issuer:       s.Issuer,
		clientID:     s.ClientID,
		access:       keychain.NewSecret(s.AccessToken),
		refresh:      keychain.NewSecret(s.RefreshToken),
		user:         user,
		fromUserinfo: s.FromUserinfo,
		obtainedAt:   time.Unix(s.ObtainedAt, 0),
		expiresAt:    time.Unix(s.ExpiresAt, 0),
		signedInAt:   time.Unix(s.SignedInAt, 0),
		extraScopes:  s.ExtraScopes,
		acr:          s.ACR,
		idToken:      keychain.NewSecret(s.IDToken),
		machine:      s.Machine,
		dead:         s.Dead,
	}, nil
}

// ended is the record with its tokens gone, for status to tell of.
func (r *record) ended(reason string, now time.Time) *record {
	dead := *r
	dead.expiresAt = now
	dead.access, dead.refresh, dead.idToken, dead.dead = keychain.Secret{}, keychain.Secret{}, keychain.Secret{}, reason
	return &dead
}

// renewable tells whether there is something to get the next access token with.
func (r *record) renewable() bool { return !r.refresh.IsZero() || r.machine && r.dead == "" }

// sameTokens tells whether nobody has signed in or refreshed between the two.
func (r *record) sameTokens(other *record) bool {
	return other != nil && r.access == other.access && r.refresh == other.refresh
}

const (
	lastUse      = 5 * time.Second // an access token with less left would not survive its journey
	renewMargin  = time.Minute     // with less left, a caller that sends the token waits for a new one
	clockLeeway  = time.Minute     // how far the clock may be before obtainedAt
	aheadPercent = 80              // of the lifetime, after which the token is renewed ahead of time
)

func (r *record) lifetime() time.Duration { return r.expiresAt.Sub(r.obtainedAt) }

// usableFor tells whether the access token has more than margin left, or more
// than a tenth of its life when that is shorter. A clock that was set back to
// before the token was obtained says nothing about its end, so then it has not.
func (r *record) usableFor(margin time.Duration, now time.Time) bool {
	return !r.access.IsZero() &&
		!now.Before(r.obtainedAt.Add(-clockLeeway)) &&
		r.expiresAt.Sub(now) > min(margin, r.lifetime()/10)
}

// good tells whether the access token can still be used.
func (r *record) good(now time.Time) bool { return r.usableFor(lastUse, now) }

// aheadAt is when the access token should be renewed ahead of time.
func (r *record) aheadAt() time.Time {
	return r.obtainedAt.Add(r.lifetime() * aheadPercent / 100)
}

// snapshotOf is the one place that knows which state a record means. why is
// the reason that there is no record, or that it could not be renewed.
func snapshotOf(r *record, loadErr, renewErr error, now time.Time) Snapshot {
	switch {
	case r == nil && loadErr != nil && !errors.Is(loadErr, ErrSignedOut):
		return Snapshot{State: Degraded, Err: loadErr}
	case r == nil && loadErr == ErrSignedOut: // nobody ever was
		return Snapshot{State: SignedOut}
	case r == nil:
		return Snapshot{State: SignedOut, Err: loadErr}
	case r.dead != "":
		return Snapshot{State: SignedOut, Err: &EndedError{Reason: r.dead, At: r.expiresAt}}
	case r.good(now):
		others, unreadable := r.otherClaims()
		return Snapshot{State: SignedIn, User: r.user, ACR: r.acr, Claims: others, Unreadable: unreadable}
	case !r.renewable():
		return Snapshot{State: SignedOut, Err: &EndedError{Reason: noRefreshToken, At: r.expiresAt}}
	case renewErr != nil:
		return Snapshot{State: Degraded, User: r.user, Err: renewErr}
	}
	return Snapshot{State: Degraded, User: r.user, Err: ErrExpired}
}

// sameFace tells whether two snapshots look the same to a subscriber. A later ExpiresAt alone is no change.
func sameFace(a, b Snapshot) bool {
	return a.State == b.State && errorText(a.Err) == errorText(b.Err) && samePerson(a.User, b.User) && a.ACR == b.ACR &&
		a.User.AuthTime == b.User.AuthTime && // a step-up may change nothing else
		maps.EqualFunc(a.Claims, b.Claims, slices.Equal) && slices.Equal(a.Unreadable, b.Unreadable)
}

func samePerson(a, b User) bool {
	return a.Sub == b.Sub && a.Email == b.Email && a.Name == b.Name && a.GivenName == b.GivenName &&
		a.FamilyName == b.FamilyName && a.PreferredUsername == b.PreferredUsername && slices.Equal(a.Groups, b.Groups) &&
		slices.Equal(a.Roles, b.Roles) && slices.Equal(a.Scopes, b.Scopes) && a.EmailCounts == b.EmailCounts && a.Claimed.Equal(b.Claimed)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// ownClaims are those that say nothing of the person, or that a User holds in a
// form of its own.
var ownClaims = map[string]bool{
	"iss": true, "sub": true, "aud": true, "exp": true, "iat": true, "nbf": true, "jti": true, "nonce": true, "azp": true,
	"at_hash": true, "c_hash": true, "s_hash": true, "sid": true, "auth_time": true, "acr": true,
	"groups": true, "roles": true, "email": true,
}

// OtherClaim tells whether a claim is one that [Snapshot].Claims may have.
func OtherClaim(name string) bool { return !ownClaims[name] }

// otherClaims are the claims of the sign-in's ID token that a policy may ask
// about: texts, numbers, switches and lists of these, and the names of those that
// are something else. The token was verified when it was stored, and the keychain
// is ours.
func (r *record) otherClaims() (others map[string][]string, unreadable []string) {
	if r.machine {
		return nil, nil // it has no ID token
	}
	parts := strings.Split(r.idToken.Reveal(), ".")
	if len(parts) != 3 {
		return nil, []string{AllClaims}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var said claims
	if err != nil || json.Unmarshal(payload, &said) != nil || said == nil {
		return nil, []string{AllClaims}
	}
	others = map[string][]string{}
	for name, value := range said {
		if ownClaims[name] || !said.has(name) {
			continue
		}
		texts, whole := claimTexts(value)
		if len(texts) > 0 {
			others[name] = texts
		}
		if !whole {
			unreadable = append(unreadable, name)
		}
	}
	slices.Sort(unreadable)
	return others, unreadable
}

// claimTexts are the values of a claim. whole is false when it has others: an
// object, or a list in a list.
func claimTexts(value jsontext.Value) (texts []string, whole bool) {
	switch value.Kind() {
	case '"':
		text, ok := textOf(value)
		return []string{text}, ok
	case '0', 't', 'f':
		return []string{string(value)}, true
	case '[':
		var list []jsontext.Value
		list, whole = elementsOf(value)
		for _, one := range list {
			if one.Kind() == '[' {
				whole = false
				continue
			}
			more, ok := claimTexts(one)
			texts, whole = append(texts, more...), whole && ok
		}
		return texts, whole
	}
	return nil, false
}
