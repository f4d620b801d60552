package identity

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// holdPage names, in the environment of this test binary, a page lock to take
// and keep until standard input ends, as a process with an open page does.
const holdPage = "IDENTITY_TEST_HOLD_PAGE"

func holdPageLock(path string) int {
	if _, free, err := sharedfile.TryLock(path); err != nil || !free {
		fmt.Println("taken", err)
		return 1
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

type loggedIn struct {
	user User
	err  error
}

// start begins a sign-in and returns its end, and a channel that is closed when
// it waits for another page.
func (w *world) start(t *testing.T, a *Accounts, ui UI, o LoginOptions) (end <-chan loggedIn, waits <-chan struct{}) {
	waiting, done := make(chan struct{}), make(chan loggedIn, 1)
	ui.Waiting = func(string) { close(waiting) }
	o.UI = ui
	go func() {
		user, err := a.Login(t.Context(), w.client, o)
		done <- loggedIn{user, err}
	}()
	return done, waiting
}

// openPage starts a sign-in whose page stays open until the returned function
// goes on with it.
func (w *world) openPage(t *testing.T, a *Accounts) (end <-chan loggedIn, goOn func()) {
	opened := make(chan string, 1)
	ui := w.ui()
	ui.OpenURL = func(_ context.Context, url string) error { opened <- url; return nil }
	end, _ = w.start(t, a, ui, LoginOptions{})
	url := receive(t, opened)
	return end, func() { _ = w.browser.open(t.Context(), url) }
}

func never(t *testing.T) func(context.Context, string) error {
	return func(context.Context, string) error { t.Error("a second page was opened"); return nil }
}

func TestOnePageAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	first, goOn := w.openPage(t, w.accounts)
	ui := w.ui()
	ui.OpenURL = never(t)
	second, waits := w.start(t, w.machine(t, w.accounts.stateDir), ui, LoginOptions{})
	receive(t, waits)
	goOn()
	receive(t, w.browser.pages)
	for _, end := range []<-chan loggedIn{first, second} {
		if got := receive(t, end); got.err != nil || got.user.Sub != "ada" {
			t.Errorf("%+v", got)
		}
	}
	if n := w.idp.Count("authorize"); n != 1 {
		t.Errorf("%d pages", n)
	}
}

// Whoever asks for more than the other page gave needs a page of its own.
func TestAnotherPageIsNotAlwaysEnough(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	_, goOn := w.openPage(t, w.accounts)
	second, waits := w.start(t, w.machine(t, w.accounts.stateDir), w.ui(), LoginOptions{Scopes: []string{"groups"}})
	receive(t, waits)
	goOn()
	receive(t, w.browser.pages)
	got := receive(t, second)
	receive(t, w.browser.pages)
	if got.err != nil || !containsAll(got.user.Scopes, []string{"groups"}) || w.idp.Count("authorize") != 2 {
		t.Errorf("%+v after %d pages", got, w.idp.Count("authorize"))
	}
}

// A page that comes to nothing, and a sign-in from long ago, are no answer.
func TestAPageInVainIsFollowedByTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	w.clock.advance(time.Minute)
	ctx, giveUp := context.WithCancel(t.Context())
	opened := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		_, err := w.accounts.Login(ctx, w.client, LoginOptions{UI: UI{
			OpenURL: func(context.Context, string) error { close(opened); return nil },
		}})
		ended <- err
	}()
	receive(t, opened)
	second, waits := w.start(t, w.machine(t, w.accounts.stateDir), w.ui(), LoginOptions{})
	receive(t, waits)
	giveUp()
	if err := receive(t, ended); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	receive(t, w.browser.pages)
	if got := receive(t, second); got.err != nil || w.idp.Count("authorize") != 2 {
		t.Errorf("%+v after %d pages", got, w.idp.Count("authorize"))
	}
}

func TestWaitingForAPageEndsInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	first, goOn := w.openPage(t, w.accounts)
	ui := w.ui()
	ui.OpenURL = never(t)
	second, _ := w.start(t, w.machine(t, w.accounts.stateDir), ui, LoginOptions{Timeout: 100 * time.Millisecond})
	wantError[*TimeoutError](t, receive(t, second).err)
	goOn()
	receive(t, w.browser.pages)
	receive(t, first)
}

func TestPagesOfTwoProfilesAreTwo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	first, goOn := w.openPage(t, w.accounts)
	other := w.client
	other.Profile = "other"
	if _, err := w.accounts.Login(t.Context(), other, LoginOptions{UI: w.ui()}); err != nil {
		t.Error(err)
	}
	goOn()
	receive(t, w.browser.pages)
	receive(t, w.browser.pages)
	receive(t, first)
}

// A process that dies with its page open keeps nobody from signing in.
func TestPageOfADeadProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, demoidp.Options{AutoApprove: true})
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holdPage+"="+w.accounts.files(w.client).page)
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder says %q", line)
	}
	end, waits := w.start(t, w.accounts, w.ui(), LoginOptions{})
	receive(t, waits)
	if w.idp.Count("authorize") != 0 {
		t.Error("a page was opened beside another process's")
	}
	_ = holder.Process.Kill()
	_ = holder.Wait()
	receive(t, w.browser.pages)
	if got := receive(t, end); got.err != nil || got.user.Sub != "ada" {
		t.Errorf("%+v", got)
	}
}

// invite starts a sign-in that an AI client was asked to show, and that nobody answers.
func (w *world) prompt(t *testing.T, o LoginOptions) (page string, end <-chan loggedIn) {
	t.Helper()
	shown, done := make(chan string, 1), make(chan loggedIn, 1)
	o.Invited, o.UI.ShowURL = true, func(page string, _ bool) { shown <- page }
	go func() {
		user, err := w.accounts.Login(t.Context(), w.client, o)
		done <- loggedIn{user, err}
	}()
	return receive(t, shown), done
}

// A question of an AI client that nobody answers keeps no user from signing in. The
// invitation then has the user, too.
func TestAttackUnansweredInvitationHoldsTheLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.client.RedirectURIs = []string{"http://127.0.0.1:" + fixedPort(t) + "/callback"} // the same for both
	for range 2 {                                                                      // the second time, the claim is an old one
		_, prompted := w.prompt(t, LoginOptions{Scopes: []string{"groups"}})
		began, ui := time.Now(), w.ui()
		ui.Waiting = func(text string) { t.Error(text) }
		user, err := w.machine(t, w.accounts.stateDir).Login(t.Context(), w.client, LoginOptions{UI: ui, Scopes: []string{"groups"}})
		if err != nil || user.Sub != "ada" || time.Since(began) > soon/2 {
			t.Fatalf("%+v %v after %s", user, err, time.Since(began))
		}
		receive(t, w.browser.pages)
		if got := receive(t, prompted); got.err != nil || got.user.Sub != "ada" {
			t.Errorf("the invitation: %+v", got)
		}
	}
}

// Invitations that come while a login waits take no turn before it.
func TestAttackInvitationsInARowHoldTheLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	files := w.accounts.files(w.client)
	release, free, err := sharedfile.TryLock(files.page)
	if err != nil || !free {
		t.Fatal(free, err)
	}
	login, waits := w.start(t, w.machine(t, w.accounts.stateDir), w.ui(), LoginOptions{})
	receive(t, waits)
	ui := UI{OpenURL: func(context.Context, string) error { return nil }} // nobody answers
	prompted, waits := w.start(t, w.accounts, ui, LoginOptions{Invited: true})
	receive(t, waits)
	claimed := stampOf(files.claim)
	eventually(t, "claiming the page again", func() bool { return !stampOf(files.claim).Equal(claimed) })
	release()
	receive(t, w.browser.pages)
	for _, end := range []<-chan loggedIn{login, prompted} {
		if got := receive(t, end); got.err != nil || got.user.Sub != "ada" {
			t.Errorf("%+v", got)
		}
	}
}

// A sign-in of a moment ago is not what a login waits for.
func TestAPageAfterASignInOfTheSameSecond(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	w.signedIn(t)
	release, _, err := sharedfile.TryLock(w.accounts.files(w.client).page)
	if err != nil {
		t.Fatal(err)
	}
	at := w.stored(t).signedInAt
	w.accounts.now = func() time.Time { return at }
	login, _ := w.start(t, w.accounts, w.ui(), LoginOptions{})
	eventually(t, "claiming the page", func() bool { return !stampOf(w.accounts.files(w.client).claim).IsZero() })
	release()
	receive(t, w.browser.pages)
	if got := receive(t, login); got.err != nil || w.idp.Count("authorize") != 2 {
		t.Errorf("%+v after %d pages", got, w.idp.Count("authorize"))
	}
}

// A login that brings less than the invitation was for ends it.
func TestTakenOverInvitationGetsWhatItNeedsOrEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	_, prompted := w.prompt(t, LoginOptions{ACR: []string{"phr"}})
	if _, err := w.machine(t, w.accounts.stateDir).Login(t.Context(), w.client, LoginOptions{UI: w.ui()}); err != nil {
		t.Fatal(err)
	}
	receive(t, w.browser.pages)
	wantError[*TakenOverError](t, receive(t, prompted).err)
}

// Invitations wait for each other and for a login, and take nothing over.
func TestInvitationTakesNothingOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, signsInAlone())
	page, first := w.prompt(t, LoginOptions{})
	second, waits := w.start(t, w.machine(t, w.accounts.stateDir), UI{OpenURL: never(t)}, LoginOptions{Invited: true})
	receive(t, waits)
	_ = w.browser.open(t.Context(), page)
	receive(t, w.browser.pages)
	for _, end := range []<-chan loggedIn{first, second} {
		if got := receive(t, end); got.err != nil || got.user.Sub != "ada" {
			t.Errorf("%+v", got)
		}
	}
}
