package demoidp

import "net/http"

// Fault is what goes wrong with one request, in the order of the fields. The
// zero value is nothing.
type Fault struct {
	// Wait holds the request until the channel is closed; then it goes on. When
	// the client gives up or the server closes first, nothing is done. A channel
	// that nobody closes is a provider that hangs.
	Wait <-chan struct{}
	// Drop cuts the connection before anything is done.
	Drop bool
	// Status, unless 0, is answered with Header and Body before anything is done.
	Status int
	Header http.Header
	Body   string
	// Lost does all the work, so that codes are used and tokens rotated, and
	// then cuts the connection instead of answering.
	Lost bool
	// Edit changes what a successful answer says, before it is signed or sent.
	Edit func(answer map[string]any)
	// Signature is how a token is signed; for "id_token" and "access_token" only.
	Signature Signature
}

// Signature is how a token is signed.
type Signature int

// The ways to sign. All but Signed are attacks that a client must refuse.
const (
	Signed             Signature = iota // ES256 with the current key
	AlgNone                             // alg none, no signature
	HS256WithPublicKey                  // HMAC keyed with the PEM form of the public key
	UnknownKid                          // signed with the current key under a kid that the JWKS lacks
	ForeignKey                          // signed with another key under the current kid
)

// SetFault has f asked once for each request; nil ends all faults. f may be
// called from many goroutines, and may call the server's methods.
//
// The endpoints are discovery, jwks, authorize, decision, userinfo,
// device_authorization, device, revocation and end_session. The token endpoint
// has the name of the grant: authorization_code, refresh_token, device_code or
// client_credentials.
// Beside those, f is asked about id_token and access_token for each of these
// that is minted as a JWT.
//
// Edit gets the JSON document of discovery, jwks, userinfo,
// device_authorization and the grants, the query parameters (strings) of
// authorize and decision, and the claims of id_token and access_token.
func (s *Server) SetFault(f func(endpoint string) Fault) {
	if f == nil {
		s.fault.Store(nil)
		return
	}
	s.fault.Store(&f)
}

func (s *Server) faultFor(endpoint string) Fault {
	if f := s.fault.Load(); f != nil {
		return (*f)(endpoint)
	}
	return Fault{}
}

// inject tells whether the fault has answered the request.
func (s *Server) inject(x *exchange) bool {
	f := x.fault
	if f.Wait != nil {
		select {
		case <-f.Wait:
		case <-x.r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-s.closing:
			panic(http.ErrAbortHandler)
		}
	}
	switch {
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		for name, values := range f.Header {
			x.w.Header()[name] = values
		}
		x.w.WriteHeader(f.Status)
		_, _ = x.w.Write([]byte(f.Body))
		return true
	case f.Lost:
		x.w = nowhere{}
	}
	return false
}

// nowhere is an answer that nobody gets.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
