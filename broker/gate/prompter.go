package gate

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// signInPrompter asks the user, through the AI client, to sign in: by URL elicitation
// (MCP 2025-11-25, "Elicitation"; 2026-07-28 carries it in an input_required
// result). The client shows the address, asks, and opens it; nothing here opens
// a browser. One prompt is open at a time, and a no is a no for a while.
type signInPrompter struct {
	session SignIn
	// signIn runs a sign-in that shows its page's address and opens nothing.
	signIn func(ctx context.Context, options identity.LoginOptions, show func(SignInPage)) error
	// ask puts a request to the client; notify tells it something.
	ask    func(ctx context.Context, build func(id []byte) []byte) ([]byte, error)
	notify func(line []byte)

	mu      sync.Mutex
	open    *prompt
	again   chan struct{}        // closed when another policy is in force
	quiet   time.Time            // no prompt before
	retries map[string][]byte    // what a call had in the place of our requestState
	vain    map[string]time.Time // by words of an reason: no such prompt before
}

// reason is what a person is asked to sign in for.
type reason struct {
	options identity.LoginOptions
	words   string // for the person, behind where to sign in
	done    func(*identity.Snapshot) bool
}

// signInReason is the reason when the user is not signed in.
func signInReason() reason {
	return reason{
		words: ", so that this server knows who you are.",
		done:  func(now *identity.Snapshot) bool { return now.State == identity.SignedIn },
	}
}

// SignInPage is where a person signs in.
type SignInPage struct{ Profile, Host, Address string }

// prompt is one sign-in that the person was, or is about to be, asked for.
type prompt struct {
	reason
	id     string
	page   SignInPage    // set when shown is closed
	shown  chan struct{} // closed when the listener is up and the address known
	over   chan struct{} // closed when the sign-in has ended, well or not
	cancel context.CancelFunc
	asked  sync.Once
}

const (
	quietAfterNo      = 5 * time.Minute
	quietAfterFailure = time.Minute
	// PromptTime bounds a sign-in that the client was asked for.
	PromptTime = 5 * time.Minute
	// maxRetries bounds what is kept for calls that were never retried.
	maxRetries = 100
	// statePrefix begins a requestState of ours. Random bits follow it, so
	// that no server's state is taken for ours.
	statePrefix = "mcpauth:"
	// signInKey names our request among the inputRequests.
	signInKey = "mcpauth_sign_in"
)

// canAsk reports whether the client of a call can show an address: it said so
// in its capabilities.
func canAsk(capabilities []byte) bool {
	var declared struct {
		Elicitation struct {
			URL *struct{} `json:"url"`
		} `json:"elicitation"`
	}
	return relay.DecodeStrict(capabilities, &declared) == nil && declared.Elicitation.URL != nil
}

// current returns the open prompt, whatever it is for, or opens one; nil
// while it is quiet.
func (v *signInPrompter) current(e reason) *prompt {
	v.mu.Lock()
	defer v.mu.Unlock()
	if time.Now().Before(v.quiet) {
		return nil // one that was refused may still be on its way out
	}
	if v.open != nil || time.Now().Before(v.vain[e.words]) {
		return v.open
	}
	ctx, cancel := context.WithTimeout(context.Background(), PromptTime)
	v.open = &prompt{reason: e, id: rand.Text(), shown: make(chan struct{}), over: make(chan struct{}), cancel: cancel}
	go v.run(ctx, v.open)
	return v.open
}

// invite judges a call that there is no user for, or not a good enough one, of a
// client that can ask. sent is the call as it came, m as it was first meant.
// false means that there is nothing more to ask: it gets words instead.
func (v *signInPrompter) prompt(sent, m *relay.Message, e reason) (relay.Verdict, bool) {
	verdict, prompted := v.tryPrompt(sent, m, e)
	if !prompted && e.done(v.session.Snapshot()) { // since the call was judged: look again
		return waitFor(func(context.Context) {})
	}
	return verdict, prompted
}

func (v *signInPrompter) tryPrompt(sent, m *relay.Message, e reason) (relay.Verdict, bool) {
	if isOurs(sent) {
		return v.retried(sent)
	}
	i := v.current(e)
	if i == nil {
		return relay.Verdict{}, false
	}
	if !m.Modern() {
		return waitFor(func(ctx context.Context) { v.accompany(ctx, i) })
	}
	select {
	case <-i.shown:
		return answer(v.inputRequired(m, i)), true
	default:
		return waitFor(i.untilShown)
	}
}

// retried judges the retry of a call that was answered with our question.
func (v *signInPrompter) retried(m *relay.Message) (relay.Verdict, bool) {
	v.mu.Lock()
	i := v.open
	v.mu.Unlock()
	switch {
	case i == nil:
		return relay.Verdict{}, false
	case saidNo(m):
		v.refused(i)
		return relay.Verdict{}, false
	}
	return waitFor(i.untilOver)
}

func waitFor(until func(context.Context)) (relay.Verdict, bool) {
	return relay.Verdict{Action: relay.Wait, Detached: true, Until: until}, true
}

func (i *prompt) untilShown(ctx context.Context) {
	select {
	case <-i.shown:
	case <-i.over:
	case <-ctx.Done():
	}
}

func (i *prompt) untilOver(ctx context.Context) {
	select {
	case <-i.over:
	case <-ctx.Done():
	}
}

// run carries one prompt through.
func (v *signInPrompter) run(ctx context.Context, i *prompt) {
	defer i.cancel()
	go v.watch(ctx, i)
	var once sync.Once
	err := v.signIn(ctx, i.options, func(page SignInPage) {
		once.Do(func() {
			i.page = page
			close(i.shown)
		})
	})
	satisfied := i.done(v.session.Snapshot()) || err == nil && v.untilDone(ctx, i)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open = nil
	if err == nil && !satisfied { // a provider that ignores what it is asked for
		if v.vain == nil {
			v.vain = map[string]time.Time{}
		}
		v.vain[i.words] = time.Now().Add(quietAfterFailure)
	}
	if err != nil && !satisfied && time.Now().After(v.quiet) {
		v.quiet = time.Now().Add(quietAfterFailure)
	}
	close(i.over)
}

// watch ends an prompt that is not needed any more: the person signed in
// elsewhere, perhaps just before it was opened.
func (v *signInPrompter) watch(ctx context.Context, i *prompt) {
	if !v.awaitDone(ctx, i) {
		return
	}
	select { // if it is this one that was finished, the page still says so
	case <-i.over:
	case <-time.After(pageGrace):
		i.cancel()
	}
}

// pageGrace is how long a sign-in may take to tell the browser of its end.
const pageGrace = 2 * time.Second

// untilDone waits for the session to see what the sign-in stored, and reports
// whether that is what was asked for.
func (v *signInPrompter) untilDone(ctx context.Context, i *prompt) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return v.awaitDone(ctx, i)
}

// awaitDone waits until the session has what was asked for, or ctx ends.
func (v *signInPrompter) awaitDone(ctx context.Context, i *prompt) bool {
	for {
		changed, again := v.session.Changed(), v.policyChange()
		if i.done(v.session.Snapshot()) {
			return true
		}
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
			return false
		}
	}
}

// policyChange returns a channel that is closed when another policy is in force, which
// may ask for less.
func (v *signInPrompter) policyChange() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.again == nil {
		v.again = make(chan struct{})
	}
	return v.again
}

func (v *signInPrompter) policyChanged() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.again != nil {
		close(v.again)
		v.again = nil
	}
}

// refused ends an prompt: the person said no.
func (v *signInPrompter) refused(i *prompt) {
	v.mu.Lock()
	v.quiet = time.Now().Add(quietAfterNo)
	v.mu.Unlock()
	i.cancel()
}

// stop ends what is open: the proxy ends.
func (v *signInPrompter) stop() {
	v.mu.Lock()
	open := v.open
	v.mu.Unlock()
	if open != nil {
		open.cancel()
		<-open.over
	}
}

// accompany waits until an prompt is over. With a client of the older
// protocols it asks the question itself, once.
func (v *signInPrompter) accompany(ctx context.Context, i *prompt) {
	i.untilShown(ctx)
	select {
	case <-i.shown:
		i.asked.Do(func() { go v.question(i) })
	default:
	}
	i.untilOver(ctx)
}

// question asks a client of the older protocols by a request of our own.
func (v *signInPrompter) question(i *prompt) {
	ctx, cancel := context.WithTimeout(context.Background(), PromptTime)
	defer cancel()
	stop := context.AfterFunc(ctx, i.cancel)
	defer stop()
	go func() { // the sign-in may end elsewhere: on the page, by mcpauth login
		select {
		case <-i.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	params := i.params()
	params["elicitationId"] = i.id
	text, err := json.Marshal(params)
	if err != nil {
		return
	}
	var asked []byte
	answer, err := v.ask(ctx, func(id []byte) []byte {
		asked = id
		line := append([]byte(`{"jsonrpc":"2.0","id":`), id...)
		line = append(line, `,"method":"elicitation/create","params":`...)
		return append(append(line, text...), '}')
	})
	if err != nil { // the prompt ends by itself, and its question with it
		v.notify([]byte(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + string(asked) + `,"reason":"the sign-in has ended"}}`))
		return
	}
	var said struct {
		Result *struct {
			Action string `json:"action"`
		} `json:"result"`
	}
	if relay.DecodeStrict(answer, &said) != nil || said.Result == nil || said.Result.Action != "accept" {
		v.refused(i)
		return
	}
	<-i.over
	v.notify([]byte(`{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":"` + i.id + `"}}`))
}

// params are those of an elicitation/create in URL mode.
func (i *prompt) params() map[string]any {
	return map[string]any{
		"mode": "url", "url": i.page.Address,
		"message": "Sign in to " + i.page.Profile + " at " + i.page.Host + i.words,
	}
}

// inputRequired is the result that asks a client of the modern protocol, and
// has the call come back with the answer.
func (v *signInPrompter) inputRequired(m *relay.Message, i *prompt) []byte {
	state := statePrefix + i.id + ":" + rand.Text()
	v.keep(state, m)
	return resultAnswer(m, map[string]any{
		"resultType":    "input_required",
		"requestState":  state,
		"inputRequests": map[string]any{signInKey: map[string]any{"method": "elicitation/create", "params": i.params()}},
	}, false)
}

// keep remembers what a call has in the place where its retry will have our state.
func (v *signInPrompter) keep(state string, m *relay.Message) {
	members := m.RetryMembers()
	if members == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.retries == nil || len(v.retries) >= maxRetries {
		v.retries = map[string][]byte{}
	}
	v.retries[state] = members
}

// isOurs reports whether a call is the retry of one that we answered.
func isOurs(m *relay.Message) bool { return strings.HasPrefix(m.RequestState(), statePrefix) }

// saidNo reports whether the answer that a retry brings is not an acceptance.
func saidNo(m *relay.Message) bool {
	var responses map[string]struct {
		Action string `json:"action"`
	}
	return relay.DecodeStrict(m.InputResponses(), &responses) != nil || responses[signInKey].Action != "accept"
}

// original gives a retry of ours back what it had before, so that the server
// sees the call as the client first meant it.
func (v *signInPrompter) original(m *relay.Message) *relay.Message {
	v.mu.Lock()
	members := v.retries[m.RequestState()]
	v.mu.Unlock()
	first, refusal := relay.NewParser(reserved).Parse(m.WithRetryMembers(members))
	if refusal != nil {
		return m // not reached: what was one message stays one
	}
	return first
}
