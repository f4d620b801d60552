package identity

import (
	"context"
	"log/slog"
	"net/url"

	"github.com/mcpauth/mcpauth/broker/identity/loopback"
)

// codeFlow is a sign-in by the browser of this machine, as its listener on loopback
// knows it.
type codeFlow struct {
	*signIn
	log  *slog.Logger
	said tokenResponse
}

var _ loopback.SignIn = (*codeFlow)(nil)

// Knows implements [loopback.SignIn].
func (f *codeFlow) Knows(state string) bool { return f.knows(state) }

// Judge implements [loopback.SignIn].
func (f *codeFlow) Judge(answer url.Values) error {
	err := f.judge(answer)
	logStep(f.log, "callback", "the browser came back", sent(answer), problemAttr(err, f.state, answer.Get("code")))
	return err
}

// Exchange implements [loopback.SignIn].
func (f *codeFlow) Exchange(ctx context.Context, code string) (err error) {
	f.said, err = f.exchange(ctx, code)
	return err
}

// Stray implements [loopback.SignIn].
func (f *codeFlow) Stray(query url.Values, status int) {
	logStep(f.log, "callback", "a request that is no answer to this sign-in", sentNames(query), slog.Int("status", status),
		slog.String("problem", "wrong user, address, method, state, browser or form; the sign-in goes on"))
}

// Warn implements [loopback.SignIn].
func (f *codeFlow) Warn(text string) { f.warn(text) }

// receive has the browser bring an authorization code, and exchanges it.
func (f *codeFlow) receive(ctx context.Context, l *loopback.Listener, target *url.URL) error {
	logStep(f.log, "authorize", "browser to "+withoutQuery(target), sent(target.Query()))
	if f.tab != nil {
		return l.Receive(ctx, f.tab.SendOn, nil)
	}
	return l.Receive(ctx, f.options.UI.OpenURL, func(link string, opened bool) {
		f.options.UI.show(link, opened, f.redirectURI, f.client.ClientID)
	})
}

func (ui UI) show(link string, opened bool, redirectURI, clientID string) {
	if ui.ShowURL != nil {
		ui.ShowURL(link, opened)
	}
	if ui.Expect != nil {
		ui.Expect(redirectURI, clientID)
	}
}

const defaultRedirect = "http://127.0.0.1/callback" // any free port

func parseRedirects(raw []string) ([]loopback.Redirect, error) {
	if len(raw) == 0 {
		raw = []string{defaultRedirect}
	}
	redirects := make([]loopback.Redirect, 0, len(raw))
	for _, uri := range raw {
		r, err := loopback.ParseRedirect(uri)
		if err != nil {
			return nil, unusableRedirect(uri, err)
		}
		redirects = append(redirects, r)
	}
	return redirects, nil
}

func unusableRedirect(uri string, err error) error {
	return &ClientError{Field: "redirect_uris", Reason: "has " + clean(uri) + ", which " + err.Error()}
}
