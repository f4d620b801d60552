package identity

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
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

// The log of a sign-in has one line for each step: "discovery", "authorize",
// "callback", "token", "keys", "verify", "userinfo", "store", "device". Its
// attributes are what, status, took and problem, and the groups sent and got: the
// parameters of a request and the members of its answer.

type logKey struct{}

// logged returns a context in which the steps of a sign-in are logged.
func logged(ctx context.Context, log *slog.Logger) context.Context {
	if log == nil {
		return ctx
	}
	return context.WithValue(ctx, logKey{}, slog.New(redactor{log.Handler()}))
}

// logOf is the log of this sign-in, or nil.
func logOf(ctx context.Context) *slog.Logger {
	log, _ := ctx.Value(logKey{}).(*slog.Logger)
	return log
}

// logStep logs a step, where steps are logged.
func logStep(log *slog.Logger, step, what string, attrs ...slog.Attr) {
	if log != nil {
		log.LogAttrs(context.Background(), slog.LevelInfo, step, slices.Concat([]slog.Attr{slog.String("what", what)}, attrs)...)
	}
}

// redactor lets no secret and nothing of the user through: of the parameters and
// members in groups only the values whose names are known to be harmless.
type redactor struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h redactor) Handle(ctx context.Context, r slog.Record) error {
	shown := slog.NewRecord(r.Time, r.Level, r.Message, 0)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "problem" || a.Value.String() != "" {
			shown.AddAttrs(redact(a))
		}
		return true
	})
	return h.Handler.Handle(ctx, shown)
}

func redact(a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, clean(a.Value.String()))
	case slog.KindGroup:
		var members []slog.Attr
		for _, member := range a.Value.Group() {
			if len(members) < maxShown {
				members = append(members, slog.String(clean(member.Key), show(member.Key, member.Value.String())))
			}
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(members...)}
	}
	return a
}

// harmless are the parameters and members whose values may be shown.
func harmless(name string) bool {
	switch name {
	case "response_type", "response_mode", "client_id", "redirect_uri", "scope", "code_challenge_method", "prompt", "max_age",
		"acr_values", "access_type", "audience", "resource", "grant_type", "token_type_hint", "iss", "error", "token_type",
		"names", "expires_in", "interval", "verification_uri", "issuer", "jwks_uri", "alg", "aud", "azp", "acr", "exp", "iat", "auth_time":
		return true
	}
	return strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_supported") // metadata
}

// show is a value for the log: itself, or what may be said of it.
func show(name, value string) string {
	switch {
	case harmless(name):
		return clean(value)
	case name == "Authorization":
		kind, _, _ := strings.Cut(value, " ")
		return clean(kind) + " " + redacted
	case strings.Count(value, ".") == 2 && strings.HasPrefix(value, "ey"):
		return fmt.Sprintf("%s (%d bytes, a JWT)", redacted, len(value))
	}
	return fmt.Sprintf("%s (%d bytes)", redacted, len(value))
}

// maxShown bounds how many parameters or members the log shows: an answer may have
// thousands.
const maxShown = 40

// sent is a group of parameters.
func sent(form url.Values) slog.Attr {
	var members []any
	for _, name := range slices.Sorted(maps.Keys(form)) {
		members = append(members, slog.String(name, strings.Join(form[name], " ")))
	}
	return slog.Group("sent", members...)
}

// sentNames is sent for a request that anybody may have made up: a secret may stand
// under any name.
func sentNames(form url.Values) slog.Attr {
	return slog.Group("sent", slog.String("names", strings.Join(slices.Sorted(maps.Keys(form)), " ")))
}

// got is a group of the members of an answer, or of nothing where it is no object.
func got(said claims) slog.Attr {
	var members []any
	for _, name := range slices.Sorted(maps.Keys(said)) {
		text := string(said[name])
		if said[name].Kind() == '"' {
			_ = json.Unmarshal(said[name], &text) // it was read once already
		}
		members = append(members, slog.String(name, text))
	}
	return slog.Group("got", members...)
}

// problem is what went wrong, without the secrets.
func problemAttr(err error, secrets ...string) slog.Attr {
	return slog.String("problem", clean(errorText(err), secrets...))
}

// logged sends a request and logs it.
func (t *transport) logged(log *slog.Logger, r *http.Request) (*http.Response, error) {
	form := formOf(r)
	secrets := secretsOf(form, r.Header.Get("Authorization"))
	if form == nil {
		form = url.Values{}
	}
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		form.Set("Authorization", authorization)
	}
	step, what, start := t.stepOf(r.URL), r.Method+" "+withoutQuery(r.URL), time.Now()
	resp, err := t.roundTrip(r)
	took := slog.Duration("took", time.Since(start))
	if err != nil {
		logStep(log, step, what, sent(form), took, problemAttr(err))
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	attrs := []slog.Attr{sent(form), slog.Int("status", resp.StatusCode), took}
	if step != "keys" { // these are public, and long
		attrs = append(attrs, answerAttrs(body, secrets)...)
	}
	logStep(log, step, what, attrs...)
	return resp, nil
}

// answerAttrs are the members of an object, and nothing of any other text. The
// description of an OAuth error is shown without what the request held.
func answerAttrs(body []byte, secrets []string) []slog.Attr {
	members, _, err := (&answer{body: body}).members()
	if err != nil {
		return []slog.Attr{slog.String("problem", strconv.Itoa(len(body))+" bytes that are no JSON object")}
	}
	attrs := []slog.Attr{got(members)}
	if code := members.text("error"); code != "" {
		description := clean(members.text("error_description"), secrets...)
		attrs = append(attrs, slog.String("problem", cleanCode(clean(code, secrets...))+": "+description))
	}
	return attrs
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

// logVerified logs what an ID token says that is no secret of the user.
func logVerified(ctx context.Context, c claims, err error) {
	attrs := []slog.Attr{problemAttr(err)}
	if err == nil {
		shown := maps.Clone(c)
		maps.DeleteFunc(shown, func(name string, _ jsontext.Value) bool { return !harmless(name) })
		attrs = []slog.Attr{got(shown), slog.Group("claims", slog.String("names", strings.Join(slices.Sorted(maps.Keys(c)), " ")))}
	}
	logStep(logOf(ctx), "verify", "signature, iss, aud, azp, exp, nonce and at_hash of the ID token", attrs...)
}
