package demoidp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	opaquePrefix = "CANARY-"
	// jwtPrefix is the base64url form of {"kid":"CANARY- : 15 bytes, so it does
	// not depend on what follows.
	jwtPrefix = "eyJraWQiOiJDQU5BUlkt"
)

// idTokenLifetime is independent of the access token's, so that a test of
// refreshing can make the latter as short as it likes.
const idTokenLifetime = time.Hour

// keptKeys is how many keys the JWKS lists: the signing one and its predecessor.
const keptKeys = 2

type signingKey struct {
	id  string
	key *ecdsa.PrivateKey
}

// joseHeader has kid first: jwtPrefix rests on it.
type joseHeader struct {
	Kid string `json:"kid"`
	Alg string `json:"alg"`
	Typ string `json:"typ"`
}

func newKey() *signingKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // since Go 1.24 the system's randomness cannot fail
	}
	return &signingKey{id: opaque(), key: key}
}

// point gives the coordinates of the public key, 32 bytes each.
func (k *signingKey) point() (x, y []byte) {
	raw, err := k.key.PublicKey.Bytes() // 4 || x || y
	if err != nil {
		panic(err) // a key on P-256 always has this form
	}
	return raw[1:33], raw[33:]
}

func (s *Server) signer() *signingKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[0]
}

// RotateKey makes a new signing key. The JWKS lists it before the one that it
// replaces, and no older one.
func (s *Server) RotateKey() {
	key := newKey()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append([]*signingKey{key}, s.keys...)
	s.keys = s.keys[:min(len(s.keys), keptKeys)]
}

func (s *Server) jwks(x *exchange) {
	s.mu.Lock()
	keys := slices.Clone(s.keys)
	s.mu.Unlock()
	list := []any{}
	for _, k := range keys {
		px, py := k.point()
		list = append(list, map[string]any{
			"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": k.id,
			"x": b64(px), "y": b64(py),
		})
	}
	x.json(http.StatusOK, map[string]any{"keys": list})
}

func (s *Server) mintID(earned *issue, access string) string {
	g, now := earned.grant, s.options.Now()
	claims := map[string]any{
		"iss":       s.issuer,
		"sub":       g.user.Sub,
		"aud":       g.client.ID,
		"iat":       now.Unix(),
		"exp":       now.Add(idTokenLifetime).Unix(),
		"auth_time": g.authTime.Unix(),
		"at_hash":   halfHash(access),
	}
	if earned.nonce != "" {
		claims["nonce"] = earned.nonce
	}
	if g.acr != "" {
		claims["acr"] = g.acr
	}
	if !s.options.SlimIDToken {
		for name, value := range g.user.claims(earned.scopes) {
			claims[name] = value
		}
	}
	fault := s.faultFor("id_token")
	if fault.Edit != nil {
		fault.Edit(claims)
	}
	token := s.signer().sign("JWT", claims, fault.Signature)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idTokens[token] = g
	return token
}

// mintAccessJWT follows RFC 9068 2.2.
func (s *Server) mintAccessJWT(earned *issue, id string, expires time.Time) string {
	g := earned.grant
	var audience any = earned.audience
	if len(earned.audience) == 0 {
		audience = s.issuer
	}
	claims := map[string]any{
		"iss":       s.issuer,
		"sub":       g.user.Sub,
		"aud":       audience,
		"iat":       s.options.Now().Unix(),
		"exp":       expires.Unix(),
		"jti":       id,
		"client_id": g.client.ID,
		"scope":     strings.Join(earned.scopes, " "),
	}
	fault := s.faultFor("access_token")
	if fault.Edit != nil {
		fault.Edit(claims)
	}
	return s.signer().sign("at+jwt", claims, fault.Signature)
}

// halfHash is at_hash of OpenID Connect Core 3.1.3.6 for ES256.
func halfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return b64(sum[:len(sum)/2])
}

// claims are those that the scopes ask for (OpenID Connect Core 5.4). Groups
// and roles come with profile as well, since many providers attach them to
// every sign-in.
func (u *User) claims(scopes []string) map[string]any {
	claims := map[string]any{}
	if slices.Contains(scopes, "email") && u.Email != "" {
		claims["email"], claims["email_verified"] = u.Email, true
	}
	profile := slices.Contains(scopes, "profile")
	if profile {
		claims["name"] = u.Name
		claims["given_name"] = u.GivenName
		claims["family_name"] = u.FamilyName
		claims["preferred_username"] = u.PreferredUsername
	}
	if profile || slices.Contains(scopes, "groups") {
		claims["groups"], claims["roles"] = orNone(u.Groups), orNone(u.Roles)
	}
	return claims
}

// orNone makes an absent list [] and not null.
func orNone(list []string) []string { return append([]string{}, list...) }

func (k *signingKey) sign(typ string, claims map[string]any, how Signature) string {
	header := joseHeader{Kid: k.id, Alg: "ES256", Typ: typ}
	sign := k.es256
	switch how {
	case AlgNone:
		header.Alg = "none"
		sign = func(string) []byte { return nil }
	case HS256WithPublicKey:
		header.Alg = "HS256"
		sign = k.hs256
	case UnknownKid:
		header.Kid = opaque()
	case ForeignKey:
		sign = newKey().es256
	}
	input := b64(mustJSON(header)) + "." + b64(mustJSON(claims))
	return input + "." + b64(sign(input))
}

func (k *signingKey) es256(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, k.key, sum[:])
	if err != nil {
		panic(err) // a P-256 key signs any 32 bytes
	}
	raw := make([]byte, 64) // r || s at fixed width, RFC 7518 3.4
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return raw
}

// hs256 signs with what everybody knows: the attack on a verifier that takes
// the algorithm from the token (RFC 8725 2.1).
func (k *signingKey) hs256(input string) []byte {
	der, err := x509.MarshalPKIXPublicKey(&k.key.PublicKey)
	if err != nil {
		panic(err) // P-256 keys always have this form
	}
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(input))
	return mac.Sum(nil)
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // only an Edit can put something in that JSON has no form for
	}
	return raw
}

// Sign makes a JWT of claims with the current key, or as how says: what a provider
// sends that signs more than its tokens.
func (s *Server) Sign(claims map[string]any, how Signature) string {
	return s.signer().sign("JWT", claims, how)
}
