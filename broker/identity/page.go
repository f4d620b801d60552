package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html"
	"io"
	"net/http"
	"strings"

	"github.com/mcpauth/mcpauth/keychain"
)

// page is what the browser shows at the end. It needs no script and nothing
// from elsewhere, and nothing of a request is repeated in it. It is put
// together by hand: html/template would add 2.5 MB to the program.
type page struct {
	status int
	title  string
	text   string
	who    string // set in bold after text
	next   string // what to do now
	code   string // the provider's error code, in small type

	location string // where the browser goes instead of showing anything
	cookie   string // Set-Cookie of it
}

func signedInPage(profile string, u User) page {
	who := u.Sub
	for _, name := range []string{u.Email, u.PreferredUsername, u.Name} {
		if name != "" {
			who = name
			break
		}
	}
	return page{
		status: http.StatusOK,
		title:  "Signed in",
		text:   "You are signed in to " + profile + " as ",
		who:    who,
		next:   "You can close this tab. Your AI client works now; nothing else to do.",
	}
}

// failedPage has own words for what a person can do something about. All else
// is in the terminal, where there is room for it.
func failedPage(profile string, err error) page {
	var (
		refused  *ConsentRefusedError
		verify   *VerifyError
		timeout  *TimeoutError
		store    *keychain.Error
		provider *ProviderError
	)
	p := page{status: http.StatusBadRequest, title: "Not signed in", next: "Close this tab and see the terminal for what to do."}
	switch {
	case errors.As(err, &refused):
		p.text = "You, or a rule of your provider, said no. Nothing was stored."
		p.next = "To try again, run mcpauth login."
		p.code = "access_denied"
	case errors.As(err, &verify) && verify.What == answerToSignIn:
		p.text = "The answer does not belong to this login, so it was not used. Nothing was stored."
	case errors.As(err, &verify):
		p.text = "What the provider sent did not stand up to a check, so it was not used. Nothing was stored."
	case errors.As(err, &timeout):
		return usedPage()
	case errors.As(err, &store):
		p.status = http.StatusInternalServerError
		p.text = "The provider said yes, but your sign-in to " + profile + " could not be saved to the keychain. Nothing was stored."
	case errors.As(err, &provider):
		p.text = "The provider did not complete the sign-in to " + profile + ". Nothing was stored."
		p.code = provider.Code
	default:
		p.text = "The sign-in to " + profile + " did not work. Nothing was stored."
	}
	return p
}

// usedPage answers an answer that comes too late.
func usedPage() page {
	return page{
		status: http.StatusBadRequest,
		title:  "Link used or expired",
		text:   "This sign-in link was used before or has expired.",
		next:   "To sign in again, run mcpauth login.",
	}
}

// strayPage answers what is no answer to this login.
func strayPage() page {
	return page{
		status: http.StatusBadRequest,
		title:  "Not this login",
		text:   "This answer does not belong to this login. It was not used, and the login goes on.",
		next:   "Go back to the page where you were signing in, or run mcpauth login again.",
	}
}

// otherBrowserPage answers an answer from a browser that did not begin this login.
func otherBrowserPage() page {
	return page{
		status: http.StatusForbidden,
		title:  "Not this browser",
		text:   "This login was begun in another browser, window or profile, or this one takes no cookies. The answer was not used, and the login goes on.",
		next:   "Open the link that mcpauth shows in the browser that you want to sign in with.",
	}
}

// foreignPage answers another user of the machine.
func foreignPage() page {
	return page{
		status: http.StatusForbidden,
		title:  "Not your login",
		text:   "Another user of this machine began this login. It goes on without you.",
		next:   "To sign in yourself, run mcpauth login as yourself.",
	}
}

const style = `:root{color-scheme:light dark}` +
	`body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:12vh auto;padding:0 1rem;overflow-wrap:anywhere}` +
	`h1{font-size:1.4rem}small{opacity:.7}`

func (p page) body() string {
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="en"><head><meta charset="utf-8">` +
		`<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">` +
		`<title>` + html.EscapeString(p.title) + ` · mcpauth</title><style>` + style + `</style></head><body><main>` +
		`<h1>` + html.EscapeString(p.title) + `</h1><p>` + html.EscapeString(p.text))
	if p.who != "" {
		b.WriteString(`<strong>` + html.EscapeString(p.who) + `</strong>.`)
	}
	b.WriteString(`</p><p>` + html.EscapeString(p.next) + `</p>`)
	if p.code != "" {
		b.WriteString(`<p><small>` + html.EscapeString(p.code) + `</small></p>`)
	}
	b.WriteString(`</main></body></html>` + "\n")
	return b.String()
}

func (p page) header() http.Header {
	sum := sha256.Sum256([]byte(style))
	h := http.Header{}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer") // the address of the page has the code in it
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	if p.location != "" {
		h.Set("Location", p.location)
	}
	if p.cookie != "" {
		h.Set("Set-Cookie", p.cookie)
	}
	h.Set("Connection", "close") // an idle connection would delay the listener's end
	return h
}

func (p page) write(w http.ResponseWriter) {
	for name, values := range p.header() {
		w.Header()[name] = values
	}
	w.WriteHeader(p.status)
	_, _ = io.WriteString(w, p.body())
}

// response is the page for a connection that is no http.Server's any more.
func (p page) response() *http.Response {
	body := p.body()
	return &http.Response{
		StatusCode:    p.status,
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        p.header(),
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
	}
}
