package identity

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// begun is a sign-in that waits for a browser.
type begun struct {
	page string // as it stands in the browser's arguments
	end  <-chan loggedIn
}

func (w *world) begin(t *testing.T) begun {
	t.Helper()
	opened := make(chan string, 1)
	ui := w.ui()
	ui.OpenURL = func(_ context.Context, page string) error { opened <- page; return nil }
	end, _ := w.start(t, w.accounts, ui, LoginOptions{})
	return begun{page: receive(t, opened), end: end}
}

func (w *world) wantWarning(t *testing.T, words string) {
	t.Helper()
	eventually(t, "a warning with "+words, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return strings.Contains(strings.Join(w.warnings, "\n"), words)
	})
}

// What stands in the arguments of the browser tells nothing of the sign-in.
func TestAttackBrowserArgumentsHoldNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	b := w.begin(t)
	u, err := url.Parse(b.page)
	if err != nil || u.RawQuery != "" || u.Hostname() != "127.0.0.1" || u.Scheme != "http" {
		t.Errorf("opened %s: %v", b.page, err)
	}
	_ = w.browser.open(t.Context(), b.page)
	wantPage(t, receive(t, w.browser.pages), http.StatusOK, "You are signed in")
	if got := receive(t, b.end); got.err != nil {
		t.Error(got.err)
	}
}

// An answer counts only from the browser that took the page, whatever else is
// right about it: a code of another person, and an error that would end it.
func TestAttackAnswerWithoutTheCookie(t *testing.T) {
	t.Parallel()
	attacked(t, func(w *world, callback *url.URL) {
		right := callback.Query().Get("state")
		for _, query := range []url.Values{
			{"state": {right}, "code": {"stolen"}, "iss": {w.idp.Issuer()}},
			{"state": {right}, "error": {"access_denied"}, "iss": {w.idp.Issuer()}},
			callback.Query(),
		} {
			for _, cookie := range []string{"", "mcpauth_x=y", "mcpauth_=; =", strings.Repeat("a=b; ", 500)} {
				page := get(t, with(callback, query), func(r *http.Request) { r.Header.Set("Cookie", cookie) })
				wantPage(t, page, http.StatusForbidden, "begun in another browser")
			}
		}
		w.wantWarning(t, "from another browser")
	})
}

// The page is good for one browser. The one that has it may come back to it.
func TestAttackSecondBrowserTakesTheUsedPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	b := w.begin(t)
	address := w.browser.enter(b.page)
	second := get(t, b.page)
	wantPage(t, second, http.StatusBadRequest, "used before")
	if second.header.Get("Location")+second.header.Get("Set-Cookie") != "" {
		t.Error("the second browser was sent on")
	}
	w.wantWarning(t, "a second browser opened the sign-in link")
	if again := w.browser.enter(b.page); again != address && again != b.page {
		t.Errorf("the first browser was sent to %s", again)
	}
	w.finishBegun(t, b, address)
}

// finishBegun ends a sign-in whose page was taken by the user's browser.
func (w *world) finishBegun(t *testing.T, b begun, address string) {
	t.Helper()
	w.browser.goTo(address)
	page := receive(t, w.browser.pages)
	if got := receive(t, b.end); page.status == http.StatusOK && (got.err != nil || got.user.Sub != "ada") {
		t.Errorf("%+v", got)
	}
}

// Whoever takes the page from the arguments first has nothing of it once the user
// opens the link that is shown, which stands in no arguments.
func TestAttackPageTakenFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	pages := make(chan string, 2)
	ui := w.ui()
	ui.OpenURL = func(_ context.Context, page string) error { pages <- page; return nil }
	ui.ShowURL = func(page string, _ bool) { pages <- page }
	end, _ := w.start(t, w.accounts, ui, LoginOptions{})
	fromArguments, shownLink := receive(t, pages), receive(t, pages)
	taken := get(t, fromArguments)
	attackers, _, _ := strings.Cut(taken.header.Get("Set-Cookie"), ";")
	if wantPage(t, get(t, fromArguments), http.StatusBadRequest, "used before"); attackers == "" {
		t.Fatal("the first one has no cookie")
	}
	address := w.browser.enter(shownLink)
	w.browser.atCallback = func(callback *url.URL) {
		page := get(t, callback.String(), func(r *http.Request) { r.Header.Set("Cookie", attackers) })
		wantPage(t, page, http.StatusForbidden, "begun in another browser")
	}
	w.browser.goTo(address)
	wantPage(t, receive(t, w.browser.pages), http.StatusOK, "You are signed in")
	if got := receive(t, end); got.err != nil || got.user.Sub != "ada" {
		t.Errorf("%+v", got)
	}
}

// A tab of an earlier sign-in is told of where the user looks, once.
func TestStaleTabIsTold(t *testing.T) {
	t.Parallel()
	attacked(t, func(w *world, callback *url.URL) {
		for range 3 {
			wantPage(t, get(t, with(callback, url.Values{"state": {"older"}, "code": {"x"}})), http.StatusBadRequest, "does not belong")
		}
		w.wantWarning(t, "a page of an earlier sign-in came back")
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.warnings) != 1 {
			t.Errorf("%q", w.warnings)
		}
	})
}

// What the provider has to know is told while the sign-in waits.
func TestExpectedAnswerIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	told := make(chan [2]string, 1)
	ui := w.ui()
	ui.OpenURL = nil
	ui.ShowURL = func(page string, _ bool) { _ = w.browser.open(t.Context(), page) }
	ui.Expect = func(redirectURI, clientID string) { told <- [2]string{redirectURI, clientID} }
	if _, err := w.accounts.Login(t.Context(), w.client, LoginOptions{UI: ui}); err != nil {
		t.Fatal(err)
	}
	receive(t, w.browser.pages)
	if got := receive(t, told); !strings.HasPrefix(got[0], "http://127.0.0.1:") || !strings.HasSuffix(got[0], "/callback") || got[1] != w.client.ClientID {
		t.Error(got)
	}
}

// A sign-in that nobody comes back from names what the provider has to know: at
// the end of its time and when it is stopped.
func TestNoAnswerNamesWhatToRegister(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]bool{"timeout": false, "stopped": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ui := w.ui()
			ui.OpenURL = func(_ context.Context, page string) error { // its page shows an error there
				w.browser.enter(page)
				if stop {
					cancel()
				}
				return nil
			}
			_, err := w.accounts.Login(ctx, w.client, LoginOptions{UI: ui, Timeout: 400 * time.Millisecond})
			unanswered := wantError[*UnansweredError](t, err)
			if !unanswered.Opened || unanswered.ClientID != w.client.ClientID || !strings.HasSuffix(unanswered.RedirectURI, "/callback") {
				t.Errorf("%+v", unanswered)
			}
			if stop != errors.Is(err, context.Canceled) || stop == errors.As(err, new(*TimeoutError)) {
				t.Error(err)
			}
		})
	}
}
