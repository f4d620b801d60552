package loopback

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"strings"
)

// Page is what the browser shows at the end. It needs no script and nothing
// from elsewhere, and nothing of a request is repeated in it. It is put
// together by hand: html/template would add 2.5 MB to the program.
type Page struct {
	Status int
	Title  string
	Text   string
	Who    string // set in bold after Text
	Next   string // what to do now
	Code   string // the provider's error code, in small type

	location string // where the browser goes instead of showing anything
	cookie   string // Set-Cookie of it
}

// ExpiredPage answers an answer that comes too late.
func ExpiredPage() Page {
	return Page{
		Status: http.StatusBadRequest,
		Title:  "Link used or expired",
		Text:   "This sign-in link was used before or has expired.",
		Next:   "To sign in again, run mcpauth login.",
	}
}

// strayPage answers what is no answer to this login.
func strayPage() Page {
	return Page{
		Status: http.StatusBadRequest,
		Title:  "Not this login",
		Text:   "This answer does not belong to this login. It was not used, and the login goes on.",
		Next:   "Go back to the page where you were signing in, or run mcpauth login again.",
	}
}

// otherBrowserPage answers an answer from a browser that did not begin this login.
func otherBrowserPage() Page {
	return Page{
		Status: http.StatusForbidden,
		Title:  "Not this browser",
		Text: "This login was begun in another browser, window or profile, or this one takes no cookies. " +
			"The answer was not used, and the login goes on.",
		Next: "Open the link that mcpauth shows in the browser that you want to sign in with.",
	}
}

// foreignPage answers another user of the machine.
func foreignPage() Page {
	return Page{
		Status: http.StatusForbidden,
		Title:  "Not your login",
		Text:   "Another user of this machine began this login. It goes on without you.",
		Next:   "To sign in yourself, run mcpauth login as yourself.",
	}
}

const style = `:root{color-scheme:light dark}` +
	`body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:12vh auto;padding:0 1rem;overflow-wrap:anywhere}` +
	`h1{font-size:1.4rem}small{opacity:.7}`

func (p Page) body() string {
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="en"><head><meta charset="utf-8">` +
		`<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">` +
		`<title>` + html.EscapeString(p.Title) + ` · mcpauth</title><style>` + style + `</style></head><body><main>` +
		`<h1>` + html.EscapeString(p.Title) + `</h1><p>` + html.EscapeString(p.Text))
	if p.Who != "" {
		b.WriteString(`<strong>` + html.EscapeString(p.Who) + `</strong>.`)
	}
	b.WriteString(`</p><p>` + html.EscapeString(p.Next) + `</p>`)
	if p.Code != "" {
		b.WriteString(`<p><small>` + html.EscapeString(p.Code) + `</small></p>`)
	}
	b.WriteString(`</main></body></html>` + "\n")
	return b.String()
}

func (p Page) header() http.Header {
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

func (p Page) write(w http.ResponseWriter) {
	for name, values := range p.header() {
		w.Header()[name] = values
	}
	w.WriteHeader(p.Status)
	_, _ = io.WriteString(w, p.body())
}

// response is the page for a connection that is no http.Server's any more.
func (p Page) response() *http.Response {
	body := p.body()
	return &http.Response{
		StatusCode:    p.Status,
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        p.header(),
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
	}
}
