package loopback

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const soon = 30 * time.Second // how long a test waits for what should happen at once

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// anyAnswer is a sign-in with the state "s" that every answer is good for.
type anyAnswer struct{}

func (anyAnswer) Knows(state string) bool                { return state == "s" }
func (anyAnswer) Judge(url.Values) error                 { return nil }
func (anyAnswer) Exchange(context.Context, string) error { return nil }
func (anyAnswer) Stray(url.Values, int)                  {}
func (anyAnswer) Warn(string)                            {}

type shown struct {
	status int
	header http.Header
	body   string
	err    error
}

func get(t *testing.T, target string, edits ...func(*http.Request)) shown {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		return shown{err: err}
	}
	for _, edit := range edits {
		edit(r)
	}
	network := &http.Transport{DisableKeepAlives: true}
	answer, err := network.RoundTrip(r)
	if err != nil {
		return shown{err: err}
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return shown{answer.StatusCode, answer.Header, string(body), err}
}

func wantPage(t *testing.T, page shown, status int, words string) {
	t.Helper()
	if page.err != nil || page.status != status || !strings.Contains(page.body, words) {
		t.Errorf("the browser saw %d %v %s\nwant %d with %q", page.status, page.err, page.body, status, words)
	}
}

func TestPitfall11ReloadedCallbackIsHarmless(t *testing.T) {
	t.Parallel()
	l := NewListener(Redirect{path: "/callback"}, "https://login.example.com/authorize", anyAnswer{})
	var seen atomic.Int64
	server := httptest.NewServer(l.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) })))
	defer server.Close()
	l.entry = newEntry(server.Listener.Addr().String(), l.path, "https://login.example.com/authorize", nil)
	l.entry.expectAnswer(l.path, soon)
	cookie, _, _ := strings.Cut(get(t, l.entry.page()).header.Get("Set-Cookie"), ";")
	withCookie := func(r *http.Request) { r.Header.Set("Cookie", cookie) }
	pages := make(chan shown, 2)
	for range cap(pages) { // the same answer twice, while the outcome is open
		go func() { pages <- get(t, server.URL+"/callback?state=s&code=c", withCookie) }()
	}
	for deadline := time.Now().Add(soon); l.sentCode() != "c"; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the answer is not taken")
		}
	}
	wantPage(t, get(t, server.URL+"/callback?state=s&code=another", withCookie), http.StatusBadRequest, "used before or has expired")
	l.Finish(t.Context(), Page{Status: http.StatusOK, Text: "You are signed in"})
	for range cap(pages) {
		wantPage(t, <-pages, http.StatusOK, "You are signed in")
	}
	if seen.Load() != 1 || l.sentCode() != "c" {
		t.Errorf("oauth2cli saw %d answers, the code is %q", seen.Load(), l.sentCode())
	}
}

// When the sign-in is called off at this very moment, oauth2cli sends on a closed channel.
func TestPitfall12HandedOverToAClosedChannel(t *testing.T) {
	t.Parallel()
	closed := make(chan int)
	close(closed)
	handOver(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { closed <- 1 }), nil) // as oauth2cli does
}

// A redirect URI whose path no cookie can have still works.
func TestEntryCookieForAnyPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"/callback": "/callback", "/": "/", "/a;b": "/"} {
		e := newEntry("127.0.0.1:1", path, "https://login.example.com/", nil)
		e.expectAnswer(path, time.Minute)
		if e.cookie.Path != want || e.cookie.Domain != "" || !e.cookie.HttpOnly || e.cookie.SameSite != http.SameSiteLaxMode || e.cookie.MaxAge != 60 {
			t.Errorf("%s: %+v", path, e.cookie)
		}
		if u, err := url.Parse(e.page()); err != nil || !strings.HasPrefix(u.Path, strings.TrimSuffix(path, "/")+"/") {
			t.Errorf("%s: %v %v", path, u, err)
		}
	}
}

// Each sign-in has its own cookie, or two at once would take each other's.
func TestEntryCookiesDiffer(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for range 10 {
		e := newEntry("127.0.0.1:1", "/callback", "https://login.example.com/", nil)
		e.expectAnswer("/callback", time.Minute)
		names[e.cookie.Name] = true
	}
	if len(names) != 10 {
		t.Error(names)
	}
}
