// Package identity signs people in at an OpenID provider and keeps them signed
// in. It sees tokens and talks to the provider; it knows no MCP message, and
// nothing that it returns but [Session.AccessToken] holds a token.
package identity

import (
	"context"
	"log/slog"
	"time"

	"github.com/mcpauth/mcpauth/keychain"
)

// Client says who we are at which provider: one profile, resolved.
type Client struct {
	Profile      string          // name of the profile, for people and for file names
	Issuer       string          // exactly as the provider spells it
	MetadataURL  string          // where its metadata is; empty means below the issuer
	ClientID     string          // client_id
	ClientSecret keychain.Secret // client_secret; zero for a public client

	// SecretAgain, unless nil, reads the client_secret again for each refresh: a
	// session may outlive one. Where it fails, the one that is known has to do.
	SecretAgain func(context.Context) (keychain.Secret, error)

	Scopes       []string // asked for at sign-in; empty means openid profile email offline_access
	RedirectURIs []string // tried in order, no port means any free one; empty means http://127.0.0.1/callback
	Audience     string   // "audience" of the authorization request (Auth0 and alike), may be empty
	Resource     string   // "resource" of RFC 8707, may be empty

	// OptionalScopes are asked for where the provider lists them, and given up
	// when it refuses them.
	OptionalScopes []string
	Offline        Offline // how a refresh token is asked for

	// GroupsClaim and RolesClaim name the claims that hold groups and roles; empty
	// means groups and roles. A dot leads into an object.
	GroupsClaim, RolesClaim string

	// TrustEmail makes every address of this provider one that counts for rules,
	// whatever it says of having verified it.
	TrustEmail bool

	// Machine makes the client itself the user (client_credentials, RFC 6749
	// 4.4): it signs in with its secret, and no person is asked.
	Machine bool

	CAFile string // absolute path of certificates (PEM) that are trusted beside the system's; may be empty
	Proxy  string // URL of the HTTP proxy to the provider; empty means that of the environment

	IdleLimit     time.Duration // without a call, that ends the sign-in here; 0 means none
	AbsoluteLimit time.Duration // after the sign-in, that ends it here; 0 means none
}

// User is the verified user context that a backend receives. It never holds a
// token. Its JSON form is the contract with backend authors (docs/user-context.md).
// Email is left out when the provider says that it has not verified it.
type User struct {
	Sub               string   `json:"sub"`
	UserID            string   `json:"user_id"` // equals sub; the ancestor's name for it
	Email             string   `json:"email,omitempty"`
	Name              string   `json:"name,omitempty"`
	GivenName         string   `json:"given_name,omitempty"`
	FamilyName        string   `json:"family_name,omitempty"`
	PreferredUsername string   `json:"preferred_username,omitempty"`
	Groups            []string `json:"groups"`
	Roles             []string `json:"roles"`
	Scopes            []string `json:"scopes"`
	Issuer            string   `json:"issuer"`
	Audience          []string `json:"audience"`
	ClientID          string   `json:"client_id"`
	AuthTime          int64    `json:"auth_time,omitempty"` // seconds since the epoch
	ExpiresAt         int64    `json:"expires_at"`          // seconds since the epoch: end of the access token
	Profile           string   `json:"profile"`
	// Warnings say what is missing in the lists above, in words for people: an
	// empty list of groups may mean that the provider did not tell them.
	Warnings []string `json:"warnings,omitempty"`

	EmailCounts bool    `json:"-"` // for rules: the provider has verified Email, or the client trusts it
	Claimed     Claimed `json:"-"`
}

// UI is how a sign-in talks to a person. A nil function is not called.
type UI struct {
	// OpenURL opens the sign-in page in the system browser: a page on loopback that
	// leads to the provider, good for one browser. After an error, or when OpenURL is
	// nil, ShowURL is the user's only way. It should start the browser and return; it
	// is not waited for, and ctx ends with the sign-in.
	OpenURL func(ctx context.Context, url string) error
	// ShowURL shows a link to the sign-in page. opened says whether OpenURL succeeded.
	ShowURL func(url string, opened bool)
	// Expect tells, after ShowURL, what the provider has to know: it shall send the
	// browser of the client clientID back to redirectURI. If it does not know both, it
	// shows an error and nothing ever comes back.
	Expect func(redirectURI, clientID string)
	// ShowCode shows what a person has to type where, when LoginOptions.Device is
	// set. Nothing is opened then: the code may be on another's behalf.
	ShowCode func(DeviceCode)
	// Waiting tells that another process has a sign-in page of this client open,
	// and that its end is waited for.
	Waiting func(text string)
	// Log takes each step of the sign-in, redacted.
	Log *slog.Logger
	// Confirm asks a person at this machine a question that can be answered by yes
	// or no. Unlock needs it where the provider does not prove that a person was
	// there; nil is a no.
	Confirm func(ctx context.Context, question string) bool
	// Warn tells of something odd that does not end the sign-in.
	Warn func(text string)
}

// LoginOptions are the choices of one sign-in.
type LoginOptions struct {
	UI      UI
	Timeout time.Duration // bounds the whole sign-in; 0 means 3 minutes, and 30 with a device code
	Device  bool          // signs in on another device with a code (RFC 8628), without a browser here
	Scopes  []string      // asked for beside the client's own, now and at each later sign-in
	Reauth  bool          // the user has to sign in again (prompt=login, max_age=0), whatever the browser remembers
	ACR     []string      // acr_values: how they have to prove it, one of these

	// Invited is set where an AI client is asked to show the page. A login of the user
	// takes the page over.
	Invited bool

	unlocks bool // see Accounts.Unlock
	nobody  bool // was signed in when it began
}

// Options are what the package needs from outside.
type Options struct {
	Store    keychain.Store
	StateDir string                   // holds lock and generation files, created with mode 0700
	Shared   func(slot string) Shared // of one sign-in; nil means files in StateDir
	Now      func() time.Time         // nil means time.Now
}

// State is where a session stands.
type State int

// The states of a session.
const (
	Loading   State = iota // the keychain has not answered yet
	SignedIn               // a user, and the access token is good
	SignedOut              // nobody, or the provider ended the sign-in
	Degraded               // a user, but the access token has expired and cannot be renewed now; or the keychain is out of reach
)

// Snapshot is what a session knows at one moment.
type Snapshot struct {
	State State
	User  User  // set when State is SignedIn, and the last one known when Degraded
	Err   error // why it is SignedOut (may be nil) or Degraded
	// ACR and Claims are set when State is SignedIn: how the person proved who they
	// are, and what else the ID token of the sign-in says, as texts by claim.
	ACR    string
	Claims map[string][]string
	// Unreadable are the other claims of the ID token that Claims does not tell, or
	// not wholly; [AllClaims] where there is no ID token to read them from.
	Unreadable []string
}

// AllClaims stands in Unreadable for every claim.
const AllClaims = "*"

// Status is what `mcpauth status` shows of one profile.
type Status struct {
	Snapshot
	StoredIn        string    // where the tokens are, for people
	ObtainedAt      time.Time // when the current access token was obtained
	ExpiresAt       time.Time // when it ends
	HasRefreshToken bool      // or, for a machine, a secret that does the same
	SignedInAt      time.Time // when the person signed in
	ACR             string    // acr of the ID token: how they proved who they are; empty when the provider did not say
	EndsAt          time.Time // when a limit of the client ends the sign-in, unless it is used before; zero without limits
}

// DeviceCode is what a person needs to sign in on another device (RFC 8628 3.2).
type DeviceCode struct {
	UserCode  string        // to type there
	URL       string        // verification_uri
	FullURL   string        // verification_uri_complete, with the code in it; may be empty
	ExpiresIn time.Duration // for how long it is good
}

// Offline says how a refresh token is asked for: by the scope offline_access
// (OpenID Connect Core 11) or in a provider's own way.
type Offline string

// The ways to ask for a refresh token. The empty one is OfflineAuto.
const (
	OfflineAuto       Offline = "auto"        // OfflineConsent or OfflineAccessType, by what the provider lists
	OfflineScope      Offline = "scope"       // offline_access alone
	OfflineConsent    Offline = "consent"     // offline_access with prompt=consent
	OfflineAccessType Offline = "access_type" // access_type=offline with prompt=consent, and no scope
	OfflineNever      Offline = "never"       // not at all: the sign-in ends with its access token
)
