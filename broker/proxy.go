package broker

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// ProxyOptions are the choices of one proxy.
type ProxyOptions struct {
	Overrides Overrides
	Environ   []string  // the proxy's own environment, as os.Environ gives it
	In        io.Reader // the AI client's messages
	Out       io.Writer // nothing but messages to the AI client
	Log       io.Writer // stderr
	ReadOnly  bool      // as read_only of the policy
	// CallTimeout is how long the server may take to answer a call; 0 is for ever.
	CallTimeout time.Duration
	// Restart starts the server again when it ends before the client does.
	Restart bool
}

// Proxy runs an MCP server behind the sign-in, until the client or the server
// ends or ctx does. It returns the exit code of the server. A sign-in that is
// missing, a keychain that is locked or a configuration that cannot be read do
// not end it: the client is told in answers to its calls, because it shows
// neither stderr nor exit codes. The error is a *Problem and was told to the
// client, too.
func (b *Broker) Proxy(ctx context.Context, o ProxyOptions) (int, error) {
	return b.serve(ctx, o, nil)
}

// serve is Proxy for an AI client, and for an explorer, who is not nil then.
func (b *Broker) serve(ctx context.Context, o ProxyOptions, explorer *Exploration) (int, error) {
	log := newLogbook(o.Log)
	defer log.close()
	// The command is started as it is configured now. Who the user is may be
	// configured later.
	resolved, configErr := b.Resolve(o.Overrides)
	if configErr != nil {
		resolved.Command, resolved.Cwd = o.Overrides.Command, o.Overrides.Cwd
		resolved.UserContext = contextAuto
	}
	if len(resolved.Command) == 0 {
		return ExitUsage, noCommand(configErr)
	}
	// Read before the server is there: one that ends at once is still to be
	// asked by a client that speaks at once.
	rules := b.watchPolicy(o, log)
	if explorer.anonymous() {
		resolved.Name, rules.load = nobodysName, nobodysPolicy
	}
	rules.start()
	server, err := startServer(backend.Command{
		Argv: resolved.Command, Dir: resolved.Cwd,
		Env: backend.Environ(o.Environ, nil), Stderr: log,
	}, log)
	if err != nil {
		problem := AsProblem(err)
		if explorer == nil {
			tellFailure(ctx, o, problem)
		}
		return problem.Code, problem
	}
	defer server.stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	session := openSignIn(ctx, func(ctx context.Context) (*openSession, error) {
		if explorer.anonymous() {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		resolved, client, err := b.resolveClient(ctx, o.Overrides)
		if err != nil {
			return nil, err
		}
		rules.look() // a profile that is there now may have rules
		return &openSession{Session: b.accounts.Session(client), profile: resolved.Name}, nil
	})
	code := b.relay(ctx, o, log, resolved, server, session, rules, explorer)
	cancel()
	session.settle()
	return code, nil
}

// resolveClient puts together the profile that is meant, and what identity
// wants to know of it.
func (b *Broker) resolveClient(ctx context.Context, o Overrides) (Resolved, identity.Client, error) {
	resolved, err := b.Resolve(o)
	if err != nil {
		return resolved, identity.Client{}, err
	}
	client, err := b.client(ctx, resolved)
	return resolved, client, err
}

func noCommand(configErr error) *Problem {
	if configErr != nil {
		return AsProblem(configErr)
	}
	return &Problem{
		Msg:   "there is no command to run: the profile names none",
		Hints: []string{"mcpauth proxy -- python3 main.py"},
		Code:  ExitUsage,
	}
}

// relay connects the client and the server until one of them ends.
func (b *Broker) relay(ctx context.Context, o ProxyOptions, log *logbook, r Resolved, server *server, session *signIn, rules *policyWatch, explorer *Exploration) int {
	record := b.openRecord(policyName(rules))
	defer record.close()
	calls := b.openCalls(record, log)
	defer calls.end()
	tools, news := &toolBook{}, &news{}
	record.follow(rules, func() {
		if session.Snapshot().State == identity.SignedIn { // else nobody sees a list of the server's
			news.changed()
		}
	})
	lists := openLists(b.Paths.StateDir, r)
	inviter := b.inviter(o.Overrides, session)
	defer inviter.stop()
	confirmer := &confirmer{}
	pins := &pinBook{
		files: pinFilesOf(b.Paths.StateDir, r), profile: r.Name, server: serverName(r.Command), mode: rules.pin, say: log.say, changed: news.changed,
	}
	pins.load()
	tools.seen = pins.note
	var clientEnded atomic.Bool
	gate := &gate{
		profile: session.profile, server: serverName(r.Command), userContext: r.UserContext,
		session: session, doors: &doors{
			server: serverName(r.Command), policy: rules, tools: tools, pins: pins,
			limits: &limiter{stateDir: b.Paths.StateDir, profile: session.profile, server: serverName(r.Command)},
		}, audit: record,
		tools: tools, lists: lists, news: news, calls: calls, inviter: inviter, confirmer: confirmer,
	}
	config := relay.Config{
		Client:      relay.Endpoint{R: o.In, W: o.Out},
		Backend:     endpoint(server.current()),
		Reserved:    reserved,
		CallTimeout: o.CallTimeout,
		Gate:        explorer.behind(gate),
		Cancelled:   gate.calls.cancelled,
		Unanswered:  gate.unanswered,
		Stray:       func(line []byte) { log.say(strayWords + excerpt(line)) },
		ClientGone: func() {
			clientEnded.Store(true)
			server.stop()
		},
		Obituary: func() string {
			if ctx.Err() != nil {
				return "mcpauth: the proxy was stopped before the server answered"
			}
			return obituary(server.current(), r.Command)
		},
	}
	if o.Restart {
		config.Revive = server.revive
	}
	lines := relay.New(config)
	tools.ask, news.notify = lines.Ask, lines.Notify
	inviter.ask, inviter.notify, confirmer.ask = lines.AskClient, lines.Notify, lines.AskClient
	if explorer != nil {
		explorer.attach(gate, r, server)
	}
	listing, listed := context.WithCancel(ctx)
	go lists.run(listing)
	defer func() {
		listed()
		<-lists.ended // a client that lists and goes must not lose the list
	}()
	go rules.run(ctx)
	go pins.run(ctx)
	go (&follower{log: log, session: session, news: news}).run(ctx)
	lines.Run(ctx)
	pins.keep()
	server.stop()
	exit := server.current().Exit()
	if clientEnded.Load() && (exit.Signal != nil || exit.Code < 0) { // or killed, and not seen to end in time
		return ExitOK // we ended it, because the client was done with it
	}
	return exit.Code
}

// inviter makes one that signs in to a profile by the code that login runs, but
// leaves it to the AI client to show the page.
func (b *Broker) inviter(o Overrides, session session) *inviter {
	return &inviter{
		session: session,
		signIn: func(ctx context.Context, options LoginOptions, show func(page signInPage)) error {
			resolved, client, err := b.resolveClient(ctx, o)
			if err != nil {
				return err
			}
			options.Timeout = invitationTime
			options.UI = LoginUI{ShowURL: func(address string, _ bool) {
				show(signInPage{profile: resolved.Name, host: resolved.Host(), address: address})
			}}
			user, err := b.accounts.Login(ctx, client, options)
			b.recordLogin(resolved, user, err)
			return err
		},
	}
}

// obituaryPatience bounds the wait for the exit of a server that has closed its
// output.
const obituaryPatience = 300 * time.Millisecond

// obituary says why the server gives no more answers.
func obituary(child *backend.Process, command []string) string {
	select {
	case <-child.Done():
	case <-time.After(obituaryPatience):
		return "mcpauth: " + serverName(command) + " closed its output before it answered"
	}
	text := fmt.Sprintf("mcpauth: %s ended before it answered (%s)", serverName(command), child.Exit())
	if words := child.LastWords(); words != "" {
		text += ": " + words
	}
	return text
}

// tellFailure answers the client's calls with the reason why there is no
// server, for a moment: a client hides stderr, and whoever starts the proxy by
// hand does not want to wait.
func tellFailure(ctx context.Context, o ProxyOptions, problem *Problem) {
	const patience = 2 * time.Second
	silent, over := io.Pipe()
	time.AfterFunc(patience, func() { _ = over.Close() })
	words := "mcpauth: " + problem.Msg
	relay.New(relay.Config{
		Client:     relay.Endpoint{R: o.In, W: o.Out},
		Backend:    relay.Endpoint{R: silent, W: io.Discard},
		Gate:       failedGate{words},
		Stray:      func([]byte) {},
		ClientGone: func() { _ = over.Close() },
		Obituary:   func() string { return words },
	}).Run(ctx)
}

// failedGate answers every call with the same error.
type failedGate struct{ words string }

func (g failedGate) FromClient(m *relay.Message) relay.Verdict {
	if m.Kind() != relay.Call {
		return relay.Verdict{Action: relay.Drop}
	}
	return answer(relay.AppendError(nil, m.ID(), relay.CodeBackendGone, g.words, nil))
}

func (failedGate) Uncommitted(*relay.Request, error) []byte { return nil } // it forwards nothing

func (failedGate) Refused(*relay.Refusal) {}

func (failedGate) FromBackend(*relay.Output, *relay.Request) relay.Verdict {
	return relay.Verdict{Action: relay.Drop}
}

// interprets reports whether a program runs what its first argument names.
func interprets(name string) bool {
	switch name = strings.TrimSuffix(name, ".exe"); name {
	case "node", "bun", "deno", "ruby", "perl", "php", "sh", "bash", "npx", "uvx", "uv", "java", "dotnet":
		return true
	}
	version, python := strings.CutPrefix(name, "python")
	return python && strings.Trim(version, "0123456789.") == ""
}

// serverName is how people call the server: the program and, for an
// interpreter, its script. Other arguments may hold secrets.
func serverName(command []string) string {
	name := filepath.Base(command[0])
	if len(command) > 1 && interprets(name) && !strings.HasPrefix(command[1], "-") {
		name += " " + filepath.Base(command[1])
	}
	return name
}

// strayWords tell in the log of what a server wrote to standard output.
const strayWords = "the server wrote a line that is no message: "

// excerpt makes a stray line fit for a log.
func excerpt(line []byte) string {
	const most = 200
	text := fmt.Sprintf("%q", line[:min(len(line), most)])
	if len(line) > most {
		text += "…"
	}
	return text
}
