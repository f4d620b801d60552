// Package demoidp is a small OpenID provider that lives in memory and listens
// on 127.0.0.1 only. It lets a person try `mcpauth demo` without an account
// anywhere, and it is the provider that the tests of sign-in and refresh talk
// to. It knows no passwords: anyone who reaches it may continue as any of its
// users, so nothing but a demo or a test may trust it.
package demoidp

import (
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Canary is a regular expression that finds every secret this provider mints:
// opaque tokens and codes begin with the word itself, and a JWT begins with the
// base64url form of {"kid":"CANARY-. A test that searches its logs, files and
// messages for it therefore finds a leaked token without knowing the token.
const Canary = opaquePrefix + "|" + jwtPrefix

// DefaultClientID is the client_id of the client that exists when
// Options.Clients is empty: public, with the default redirect URIs.
const DefaultClientID = "mcpauth-demo"

// User is one who can sign in.
type User struct {
	Sub               string
	Email             string
	Name              string
	GivenName         string
	FamilyName        string
	PreferredUsername string
	Groups            []string
	Roles             []string
}

// Client is a registered application.
type Client struct {
	ID     string
	Secret string // empty for a public client, which must then send none

	// RedirectURIs empty means http://127.0.0.1/callback and http://[::1]/callback.
	RedirectURIs []string
	// PostLogoutRedirectURIs are compared exactly; empty means none.
	PostLogoutRedirectURIs []string
}

// Options are the choices of a provider. The zero value is a complete one.
type Options struct {
	Users   []User   // empty means one, Ada Lovelace
	Clients []Client // empty means one, DefaultClientID

	AutoApprove    bool          // no page: signs in login_hint's user, or else the first
	AccessLifetime time.Duration // of an access token; 0 means an hour
	DeviceInterval time.Duration // between polls of a device code, whole seconds; 0 means 5 s
	DeviceLifetime time.Duration // of a device code; 0 means 10 minutes

	// Grace is how long the last superseded refresh token may be used again.
	// It then answers with the refresh token that superseded it. With 0 any
	// reuse revokes the whole family (RFC 9700 4.14.2).
	Grace time.Duration

	ExactPorts        bool     // compares redirect URIs as strings, as Okta does; else RFC 8252 7.3
	OpaqueAccessToken bool     // instead of a JWT of RFC 9068
	SlimIDToken       bool     // required claims only; the rest is in userinfo
	NoIss             bool     // no RFC 9207 iss in authorization responses
	NoRotation        bool     // a refresh answers with no new refresh token
	NoRefresh         bool     // no refresh tokens at all
	NoRevocation      bool     // no RFC 7009 endpoint
	StrictOffline     bool     // ignores offline_access without prompt=consent (OpenID Connect Core 11)
	RejectScopes      []string // answered with invalid_scope
	RefusePrompts     []string // values of prompt that are answered with consent_required
	ACRs              []string // what acr_values may ask for; the first that it does is the token's acr

	Now func() time.Time // nil means time.Now
}

// Server is a running provider. Its methods may be called at any time from
// any goroutine.
type Server struct {
	options Options
	issuer  string
	clients map[string]*Client
	http    *http.Server
	served  chan struct{} // closed when Serve has returned
	closing chan struct{} // closed by Close: lets go of requests that a Fault holds
	once    sync.Once

	fault atomic.Pointer[func(string) Fault]

	countMu sync.Mutex
	counts  map[string]int

	mu       sync.Mutex // guards everything below
	keys     []*signingKey
	signedIn map[*User]time.Time
	codes    map[string]*authorization
	devices  map[string]*device
	access   map[string]*accessToken
	idTokens map[string]*grant // for id_token_hint
	refresh  map[string]*grant // every refresh token ever minted, or reuse could not be told from nonsense
}

// Start listens on a free port of 127.0.0.1 and serves until Close.
func Start(options Options) (*Server, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo provider: %w", err)
	}
	s := newServer(withDefaults(options), "http://"+listener.Addr().String())
	s.RotateKey()
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // a library never prints
	}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // always ends with ErrServerClosed or a dead listener
	}()
	return s, nil
}

func newServer(options Options, issuer string) *Server {
	s := &Server{
		options:  options,
		issuer:   issuer,
		clients:  map[string]*Client{},
		served:   make(chan struct{}),
		closing:  make(chan struct{}),
		counts:   map[string]int{},
		signedIn: map[*User]time.Time{},
		codes:    map[string]*authorization{},
		devices:  map[string]*device{},
		access:   map[string]*accessToken{},
		idTokens: map[string]*grant{},
		refresh:  map[string]*grant{},
	}
	for i := range s.options.Clients {
		s.clients[s.options.Clients[i].ID] = &s.options.Clients[i]
	}
	return s
}

func withDefaults(o Options) Options {
	o.Users, o.Clients = slices.Clone(o.Users), slices.Clone(o.Clients)
	if len(o.Users) == 0 {
		o.Users = []User{{
			Sub: "ada", Email: "ada@example.com", Name: "Ada Lovelace",
			GivenName: "Ada", FamilyName: "Lovelace", PreferredUsername: "ada",
			Groups: []string{"engineering", "admins"}, Roles: []string{"analyst"},
		}}
	}
	if len(o.Clients) == 0 {
		o.Clients = []Client{{ID: DefaultClientID}}
	}
	for i := range o.Clients {
		if len(o.Clients[i].RedirectURIs) == 0 {
			o.Clients[i].RedirectURIs = []string{"http://127.0.0.1/callback", "http://[::1]/callback"}
		}
	}
	o.AccessLifetime = orElse(o.AccessLifetime, time.Hour)
	o.DeviceInterval = orElse(o.DeviceInterval, 5*time.Second)
	o.DeviceLifetime = orElse(o.DeviceLifetime, 10*time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func orElse(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}

// Issuer is the provider's issuer identifier, http://127.0.0.1:PORT.
func (s *Server) Issuer() string { return s.issuer }

// Close stops listening and cuts every connection, held ones included. It may
// be called more than once.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closing)
		err = s.http.Close()
		<-s.served
	})
	return err
}

// Count is how many requests an endpoint has received, including those that
// were refused or that a Fault answered. For the names see [Server.SetFault].
func (s *Server) Count(endpoint string) int {
	s.countMu.Lock()
	defer s.countMu.Unlock()
	return s.counts[endpoint]
}

// Active tells whether an access or refresh token would be accepted now. A
// refresh token within its Grace would be.
func (s *Server) Active(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.refresh[token]; g != nil {
		return !g.revoked && (token == g.refresh || s.inGrace(g, token))
	}
	return s.liveAccess(token) != nil
}

// opaque mints an unguessable secret that a canary search finds.
func opaque() string { return opaquePrefix + rand.Text() }
