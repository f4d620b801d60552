package refresh

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

// browse is a person at a browser without a window, for $BROWSER: it fills in
// every form that comes, until there is none. .ci/e2e has a real browser.
func browse(address string) int {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return complain(err)
	}
	b := &browser{client: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
	page, err := b.get(address)
	for steps := 0; err == nil && page.form != nil; steps++ {
		if steps == 10 {
			return complain(errors.New("the provider asks for ever"))
		}
		page, err = b.post(page)
	}
	if err == nil && !strings.Contains(page.text, "signed in") {
		err = errors.New("the last page does not say that somebody is signed in")
	}
	if err != nil {
		return complain(err)
	}
	return 0
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "browser:", err)
	return 1
}

type browser struct{ client *http.Client }

type page struct {
	at   *url.URL
	text string
	form url.Values // nil when there is none
	to   string     // the form's action
}

func (b *browser) get(address string) (page, error) {
	response, err := b.client.Get(address)
	if err != nil {
		return page{}, err
	}
	return read(response)
}

func (b *browser) post(p page) (page, error) {
	target, err := p.at.Parse(p.to)
	if err != nil {
		return page{}, err
	}
	response, err := b.client.PostForm(target.String(), p.form)
	if err != nil {
		return page{}, err
	}
	return read(response)
}

var (
	formTag   = regexp.MustCompile(`(?is)<form\b[^>]*>`)
	inputTag  = regexp.MustCompile(`(?is)<input\b[^>]*>`)
	attribute = regexp.MustCompile(`(?is)\b(name|value|action|method)="([^"]*)"`)
)

func attributes(tag string) map[string]string {
	found := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
		found[strings.ToLower(m[1])] = html.UnescapeString(m[2])
	}
	return found
}

func read(response *http.Response) (page, error) {
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return page{}, err
	}
	p := page{at: response.Request.URL, text: string(body)}
	if response.StatusCode != http.StatusOK {
		return p, fmt.Errorf("%s answered %s", p.at.Host, response.Status)
	}
	form := attributes(formTag.FindString(p.text))
	if !strings.EqualFold(form["method"], "post") {
		return p, nil
	}
	p.to, p.form = form["action"], url.Values{}
	for _, tag := range inputTag.FindAllString(p.text, -1) {
		input := attributes(tag)
		switch input["name"] {
		case "":
		case "login":
			p.form.Set("login", "ada@example.com")
		case "password":
			p.form.Set("password", "password")
		default:
			p.form.Set(input["name"], input["value"])
		}
	}
	return p, nil
}
