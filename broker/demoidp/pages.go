package demoidp

import (
	"fmt"
	"html"
	"net/url"
	"strings"
)

// The pages are put together by hand: html/template would add 2.5 MB to the
// program. So everything that is not a literal goes through html.EscapeString.

const pageTop = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>%[1]s - demo provider</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:12vh auto;padding:0 1rem}
.banner{border:1px solid;border-radius:.4rem;padding:.4rem .8rem;font-size:.85rem}
button,input{font:inherit;padding:.5rem 1rem;margin:.3rem .3rem .3rem 0}
</style></head><body>
<p class="banner"><strong>demo provider</strong>: runs on this computer only, asks for no password and protects nothing.</p>
<h1>%[1]s</h1>
`

// page answers with a page. body is HTML already.
func (x *exchange) page(status int, title, body string) {
	h := x.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	x.w.WriteHeader(status)
	_, _ = fmt.Fprintf(x.w, pageTop+"%[2]s\n</body></html>\n", html.EscapeString(title), body)
}

func text(s string) string { return "<p>" + html.EscapeString(s) + "</p>" }

func (s *Server) consentForm(req *authRequest) string {
	return text(req.client.ID+" wants to know who you are ("+strings.Join(req.scopes, ", ")+").") +
		`<form method="post" action="/authorize/decision">` +
		hidden("request", req.form.Encode()) + s.choices() + `</form>`
}

func (s *Server) deviceForm(userCode string) string {
	return text("Continue only if your own device shows this code.") +
		`<form method="post" action="/device"><p><input name="user_code" autocomplete="off" required value="` +
		html.EscapeString(userCode) + `" aria-label="code"></p>` + s.choices() + `</form>`
}

// choices has a button per user, and one that sends no user at all.
func (s *Server) choices() string {
	var b strings.Builder
	for _, u := range s.options.Users {
		name := u.GivenName
		if name == "" {
			name = u.Sub
		}
		fmt.Fprintf(&b, `<button name="user" value="%s">Continue as %s</button>`,
			html.EscapeString(u.Sub), html.EscapeString(name))
	}
	return b.String() + `<button name="user" value="">Deny</button>`
}

func hidden(name, value string) string {
	return `<input type="hidden" name="` + html.EscapeString(name) + `" value="` + html.EscapeString(value) + `">`
}

// logoutForm asks before signing out, and hands the request on.
func logoutForm(form url.Values) string {
	var b strings.Builder
	for _, name := range []string{"client_id", "post_logout_redirect_uri", "state"} {
		if form.Has(name) {
			b.WriteString(hidden(name, form.Get(name)))
		}
	}
	return `<form method="post" action="/logout">` + b.String() + `<button>Sign out</button></form>`
}
