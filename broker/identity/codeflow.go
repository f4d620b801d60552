package identity

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/mcpauth/mcpauth/broker/identity/loopback"
	"github.com/mcpauth/mcpauth/keychain"
)

// codeFlow is a sign-in by the browser of this machine, as its listener on loopback
// knows it.
type codeFlow struct {
	*signIn
	log  *slog.Logger
	said tokenResponse
}

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

// receive has the browser bring an authorization code, and exchanges it.
func (f *codeFlow) receive(ctx context.Context, l *loopback.Listener, target *url.URL) error {
	logStep(f.log, "authorize", "browser to "+withoutQuery(target), sent(target.Query()))
	if f.tab != nil {
		return l.Receive(ctx, f.tab.SendOn, nil)
	}
	return l.Receive(ctx, f.options.UI.OpenURL, func(link string, opened bool) {
		ui := f.options.UI
		if ui.ShowURL != nil {
			ui.ShowURL(link, opened)
		}
		if ui.Expect != nil {
			ui.Expect(f.redirectURI, f.client.ClientID)
		}
	})
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

// signedInPage is what the browser shows after a sign-in.
func signedInPage(profile string, u User) loopback.Page {
	who := u.Sub
	for _, name := range []string{u.Email, u.PreferredUsername, u.Name} {
		if name != "" {
			who = name
			break
		}
	}
	return loopback.Page{
		Status: http.StatusOK,
		Title:  "Signed in",
		Text:   "You are signed in to " + profile + " as ",
		Who:    who,
		Next:   "You can close this tab and go back to where you came from.",
	}
}

// failedPage has own words for what a person can do something about. All else
// is in the terminal, where there is room for it.
func failedPage(profile string, err error) loopback.Page {
	var (
		refused  *ConsentRefusedError
		verify   *VerifyError
		timeout  *TimeoutError
		store    *keychain.Error
		provider *ProviderError
	)
	p := loopback.Page{Status: http.StatusBadRequest, Title: "Not signed in", Next: "Close this tab and see the terminal for what to do."}
	switch {
	case errors.As(err, &refused):
		p.Text = "You, or a rule of your provider, said no. Nothing was stored."
		p.Next = "To try again, run mcpauth login."
		p.Code = "access_denied " + refused.Description
	case errors.As(err, &verify) && verify.What == answerToSignIn:
		p.Text = "The answer does not belong to this login, so it was not used. Nothing was stored."
	case errors.As(err, &verify):
		p.Text = "What the provider sent did not stand up to a check, so it was not used. Nothing was stored."
	case errors.As(err, &timeout):
		return loopback.ExpiredPage()
	case errors.As(err, &store):
		p.Status = http.StatusInternalServerError
		p.Text = "The provider said yes, but your sign-in to " + profile + " could not be saved to the keychain. Nothing was stored."
	case errors.As(err, &provider):
		p.Text = "The provider did not complete the sign-in to " + profile + ". Nothing was stored."
		p.Code = provider.Code
	default:
		p.Text = "The sign-in to " + profile + " did not work. Nothing was stored."
	}
	return p
}
