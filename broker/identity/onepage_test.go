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
	"github.com/mcpauth/mcpauth/keychain"
)

// holdPage names, in the environment of this test binary, a page lock to take
// and keep until standard input ends, as a process with an open page does.
const holdPage = "IDENTITY_TEST_HOLD_PAGE"

func holdPageLock(path string) int {
	if _, free, err := keychain.TryLock(path); err != nil || !free {
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
	url := <-opened
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
	<-waits
	goOn()
	<-w.browser.pages
	for _, end := range []<-chan loggedIn{first, second} {
		if got := <-end; got.err != nil || got.user.Sub != "ada" {
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
	<-waits
	goOn()
	<-w.browser.pages
	got := <-second
	<-w.browser.pages
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
	<-opened
	second, waits := w.start(t, w.machine(t, w.accounts.stateDir), w.ui(), LoginOptions{})
	<-waits
	giveUp()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-w.browser.pages
	if got := <-second; got.err != nil || w.idp.Count("authorize") != 2 {
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
	wantError[*TimeoutError](t, (<-second).err)
	goOn()
	<-w.browser.pages
	<-first
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
	<-w.browser.pages
	<-w.browser.pages
	<-first
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
	<-waits
	if w.idp.Count("authorize") != 0 {
		t.Error("a page was opened beside another process's")
	}
	_ = holder.Process.Kill()
	_ = holder.Wait()
	<-w.browser.pages
	if got := <-end; got.err != nil || got.user.Sub != "ada" {
		t.Errorf("%+v", got)
	}
}
