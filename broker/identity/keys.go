package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
)

// keyReader reads key sets for go-oidc: of each key what a signature is verified
// with, so that a hint of an odd form, or a key of a kind that nobody here needs,
// costs no sign-in.
type keyReader struct {
	next    http.RoundTripper
	trouble atomic.Pointer[error] // why the last answer was no key set
}

// RoundTrip implements [http.RoundTripper].
func (k *keyReader) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := k.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	a := &answer{status: resp.StatusCode, header: resp.Header, body: body}
	switch set, err := a.keySet(); {
	case a.status != http.StatusOK:
		k.note(a.statusError(r.URL.String()))
	case err != nil:
		k.note(err)
	default:
		body = set
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

func (k *keyReader) note(err error) { k.trouble.Store(&err) }

// keySet is the answer as a key set of usable keys.
func (a *answer) keySet() ([]byte, error) {
	set, err := a.object()
	if err != nil {
		return nil, fmt.Errorf("its answer %w", err)
	}
	listed, ok := elementsOf(set["keys"])
	if !set.has("keys") || !ok {
		return nil, errors.New("its answer has no list of keys (keys)")
	}
	usable := []claims{}
	for _, one := range listed {
		var key claims
		if json.Unmarshal(one, &key) != nil || key.text("kty") == "" {
			continue
		}
		plain := claims{}
		for _, member := range []string{"kty", "kid", "crv", "x", "y", "n", "e"} {
			if text, ok := nameOf(key[member]); ok && text != "" {
				plain[member], _ = json.Marshal(text) // a kid may be a number
			}
		}
		text, err := json.Marshal(plain)
		if err == nil && new(jose.JSONWebKey).UnmarshalJSON(text) == nil { // one that is not would cost the others
			usable = append(usable, plain)
		}
	}
	return json.Marshal(map[string]any{"keys": usable})
}

// keySet tells keys that could not be fetched from a signature that is wrong.
// go-oidc's own error for both is text with the provider's answer in it.
type keySet struct {
	provider    *provider
	unreachable error
}

// whyNoKeys is why keys could not be fetched.
func (p *provider) whyNoKeys(err error) *UnreachableError {
	trouble := &UnreachableError{Step: "keys", Host: hostOf(p.JWKSURI), Answered: true, Err: errors.New("it did not answer with a key set")}
	if noted := p.keyReader.trouble.Load(); noted != nil {
		trouble.Err = *noted
	}
	var network *url.Error
	if errors.As(err, &network) {
		return unreachable("keys", hostOf(p.JWKSURI), network)
	}
	return trouble
}
