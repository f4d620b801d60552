package identity

import (
	"errors"
	"net/http"

	"github.com/mcpauth/mcpauth/broker/identity/loopback"
	"github.com/mcpauth/mcpauth/keychain"
)

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
		Next:   "You can close this tab. Your AI client works now; nothing else to do.",
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
		p.Code = "access_denied"
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
