package identity

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// TraceEvent is one step of a sign-in, for whoever looks for a mistake. It holds
// no secret and nothing of the person: of parameters and answers only those
// values are kept whose names are known to be harmless.
type TraceEvent struct {
	After   time.Duration     // since the sign-in began
	Step    string            // "discovery", "authorize", "callback", "token", "keys", "verify", "userinfo", "store", "device", "note"
	What    string            // what was done
	Sent    map[string]string // parameters, redacted
	Got     map[string]string // members of the answer, redacted
	Status  int               // of an HTTP answer
	Took    time.Duration     // of an HTTP request
	Problem string            // what went wrong, or looks like a provider's known mistake
	Cure    string            // what mends it
}

// tracer takes the events of one sign-in. A nil one takes none.
type tracer struct {
	began time.Time
	take  func(TraceEvent)
}

type tracerKey struct{}

// traced returns a context in which requests to the provider are told to take.
func traced(ctx context.Context, take func(TraceEvent)) context.Context {
	if take == nil {
		return ctx
	}
	return context.WithValue(ctx, tracerKey{}, &tracer{began: time.Now(), take: take})
}

func tracerOf(ctx context.Context) *tracer {
	t, _ := ctx.Value(tracerKey{}).(*tracer)
	return t
}

func (t *tracer) tell(e TraceEvent) {
	if t == nil {
		return
	}
	e.After = time.Since(t.began)
	t.take(e)
}

// note tells of something odd, and what mends it.
func (t *tracer) note(problem, cure string) {
	t.tell(TraceEvent{Step: "note", Problem: problem, Cure: cure})
}

// harmless are the parameters and members whose values may be shown.
func harmless(name string) bool {
	switch name {
	case "response_type", "response_mode", "client_id", "redirect_uri", "scope", "code_challenge_method", "prompt", "max_age",
		"acr_values", "access_type", "audience", "resource", "grant_type", "token_type_hint", "iss", "error", "token_type",
		"expires_in", "interval", "verification_uri", "issuer", "jwks_uri", "alg", "aud", "azp", "acr", "exp", "iat", "auth_time":
		return true
	}
	return strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_supported") // metadata
}

// show is a value for a trace: itself, or what may be said of it.
func show(name, value string) string {
	if harmless(name) {
		return clean(value)
	}
	kind := "bytes"
	if strings.Count(value, ".") == 2 && strings.HasPrefix(value, "ey") {
		kind = "bytes, a JWT"
	}
	return fmt.Sprintf("%s (%d %s)", redacted, len(value), kind)
}

// maxShown bounds how many parameters or members a trace shows: a stray request
// may have thousands.
const maxShown = 40

func showForm(form url.Values) map[string]string {
	shown := map[string]string{}
	for name, values := range form {
		if len(shown) < maxShown {
			shown[clean(name)] = show(name, strings.Join(values, " "))
		}
	}
	return shown
}

// showJSON shows the members of an object, and nothing of any other text. An
// OAuth error is put into words, without what the request held.
func showJSON(body []byte, sent ...string) (shown map[string]string, problem string) {
	var members map[string]jsontext.Value
	if json.Unmarshal(body, &members) != nil {
		return map[string]string{"body": strconv.Itoa(len(body)) + " bytes that are no JSON object"}, ""
	}
	shown = map[string]string{}
	for name, value := range members {
		text := string(value)
		if value.Kind() == '"' {
			_ = json.Unmarshal(value, &text) // it was read once already
		}
		if len(shown) < maxShown {
			shown[clean(name)] = show(name, text)
		}
	}
	said := claims(members)
	if code := said.text("error"); code != "" {
		problem = providerError("", code, "", sent...).Code + ": " + clean(said.text("error_description"), sent...)
	}
	return shown, problem
}

// showNames is showForm for a request that anybody may have made up: a secret
// may stand under any name.
func showNames(form url.Values) map[string]string {
	shown := map[string]string{}
	for name := range form {
		if len(shown) < maxShown {
			shown[clean(name)] = redacted
		}
	}
	return shown
}

// secretsOf are the values of a request that an answer must not repeat.
func secretsOf(form url.Values, authorization string) []string {
	_, credentials, _ := strings.Cut(authorization, " ")
	secrets := []string{credentials}
	for name, values := range form {
		if !harmless(name) {
			secrets = append(secrets, values...)
		}
	}
	return secrets
}

// trace sends a request and tells of it.
func (t *transport) trace(tr *tracer, r *http.Request) (*http.Response, error) {
	form := formOf(r)
	authorization := r.Header.Get("Authorization")
	e := TraceEvent{Step: t.stepOf(r.URL), What: r.Method + " " + withoutQuery(r.URL), Sent: showForm(form)}
	if kind, _, ok := strings.Cut(authorization, " "); ok {
		e.Sent["Authorization"] = clean(kind) + " " + redacted
	}
	start := time.Now()
	resp, err := t.roundTrip(r)
	e.Took = time.Since(start)
	if err != nil {
		e.Problem = clean(err.Error())
		tr.tell(e)
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	e.Status = resp.StatusCode
	if e.Step != "keys" { // these are public, and long
		e.Got, e.Problem = showJSON(body, secretsOf(form, authorization)...)
	}
	tr.tell(e)
	t.remark(tr, e, resp)
	return resp, nil
}

// formOf reads the form of a request without taking it away.
func formOf(r *http.Request) url.Values {
	if r.GetBody == nil {
		return nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil
	}
	raw, _ := io.ReadAll(io.LimitReader(body, maxBody)) // a buffer of our own, which does not fail
	form, _ := url.ParseQuery(string(raw))              // and a form of our own
	return form
}

// failing ends a body as the one that it replaces has ended.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

func withoutQuery(u *url.URL) string {
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return clean(bare.String())
}

func (t *transport) stepOf(u *url.URL) string {
	if strings.HasSuffix(u.Path, "/.well-known/openid-configuration") {
		return "discovery"
	}
	m := t.metadata
	if m == nil {
		return "request"
	}
	for step, endpoint := range map[string]string{
		"token": m.TokenEndpoint, "keys": m.JWKSURI, "userinfo": m.UserinfoEndpoint,
		"device": m.DeviceEndpoint, "revocation": m.RevocationEndpoint,
	} {
		if endpoint == u.String() {
			return step
		}
	}
	return "request"
}

// verified tells what an ID token says that is no person's business.
func (t *tracer) verified(c claims, err error) {
	if t == nil {
		return
	}
	e := TraceEvent{Step: "verify", What: "signature, iss, aud, azp, exp, nonce and at_hash of the ID token"}
	if err != nil {
		e.Problem = clean(err.Error())
		t.tell(e)
		return
	}
	e.Got = map[string]string{}
	for name, value := range c {
		if harmless(name) {
			e.Got[clean(name)] = clean(string(value))
		}
	}
	names := slices.Sorted(maps.Keys(c))
	e.Got["claims"] = clean(strings.Join(names, " "))
	t.tell(e)
}
