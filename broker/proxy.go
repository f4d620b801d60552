package broker

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/gate"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/broker/text"
)

// ProxyOptions are the choices of one proxy.
type ProxyOptions struct {
	Overrides config.Overrides
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
// not end it: the answers to the client's calls say so, because it shows
// neither stderr nor exit codes. The error is a *problem.Problem and was sent to the
// client, too.
func (b *Broker) Proxy(ctx context.Context, o ProxyOptions) (int, error) {
	o.Overrides.Serves = true
	return b.serve(ctx, o, nil)
}

// serve is Proxy for an AI client, and for an explorer, who is not nil then.
func (b *Broker) serve(ctx context.Context, o ProxyOptions, explorer *exploration) (int, error) {
	log := newLogbook(o.Log)
	defer log.close()
	// The command is started as it is configured now. Who the user is may be
	// configured later.
	resolved, configErr := b.Resolve(o.Overrides)
	if configErr != nil {
		resolved.Command, resolved.Cwd = o.Overrides.Command, o.Overrides.Cwd
		resolved.UserContext = gate.ContextAuto
	}
	if len(resolved.Command) == 0 {
		return problem.ExitUsage, noCommand(configErr)
	}
	// Read before the server is there: one that ends at once is still to be
	// asked by a client that speaks at once.
	shared := gate.NewServer(b.gateConfig(o, log, resolved, explorer.anonymous()))
	server, err := startServer(backend.Command{
		Argv: resolved.Command, Dir: resolved.Cwd,
		Env: serverEnviron(o.Environ, resolved, log), Stderr: log, Grace: explorer.grace(),
	}, log)
	if err != nil {
		problem := problem.Of(err)
		if explorer == nil {
			tellFailure(ctx, o, problem)
		}
		return problem.Code, problem
	}
	defer server.stop()
	defer context.AfterFunc(ctx, server.terminate)()
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
		shared.Reload() // a profile that is there now may have rules
		return &openSession{Session: b.accounts.Session(client), profile: resolved.Name}, nil
	})
	code := b.relay(ctx, o, log, resolved, server, session, shared, explorer)
	cancel()
	session.settle()
	return code, nil
}

// resolveClient puts together the profile that is meant, and what identity
// wants to know of it.
func (b *Broker) resolveClient(ctx context.Context, o config.Overrides) (config.Resolved, identity.Client, error) {
	resolved, err := b.Resolve(o)
	if err != nil {
		return resolved, identity.Client{}, err
	}
	client, err := b.client(ctx, resolved)
	return resolved, client, err
}

func noCommand(configErr error) *problem.Problem {
	if configErr != nil {
		return problem.Of(configErr)
	}
	return &problem.Problem{
		Msg:   "there is no command to run: the profile names none",
		Hints: []string{"mcpauth proxy -- python3 main.py"},
		Code:  problem.ExitUsage,
	}
}

// gateConfig says for whom a proxy's gate is, and what it goes by.
func (b *Broker) gateConfig(o ProxyOptions, log *logbook, r config.Resolved, anonymous bool) gate.Config {
	c := gate.Config{
		Place: b.place(r), Server: text.ServerName(r.Command), UserContext: r.UserContext, Log: b.sayOnce(o, log.say),
		Policy: func() (*policy.Policy, []string, error) { return b.proxyPolicy(o) }, Audit: b.auditOptions(),
	}
	if anonymous {
		c.Profile = gate.NobodysProfile
		c.Policy = func() (*policy.Policy, []string, error) { return nil, nil, nil } // nothing asks it
	}
	file, _ := b.Config() // a broken one is an error elsewhere
	c.KeepContent = file.Audit.Content
	return c
}

// sayOnce says with its hint, and once, why no profile is there: the policy and the
// sign-in both tell of it.
func (b *Broker) sayOnce(o ProxyOptions, say func(string)) func(string) {
	_, err := b.Resolve(o.Overrides)
	if err == nil {
		return say
	}
	p := problem.Of(err)
	return func(line string) {
		switch {
		case line == p.Msg && len(p.Hints) > 0:
			say(line + "; " + p.Hints[0])
		case line == p.Msg || !strings.HasSuffix(line, p.Msg):
			say(line)
		}
	}
}

func (b *Broker) place(r config.Resolved) gate.Place {
	return gate.Place{StateDir: b.Paths.StateDir, Profile: r.Name, Command: r.Command, Cwd: r.Cwd}
}

// proxyPolicy is the policy of a running proxy, and the files that it stands in.
func (b *Broker) proxyPolicy(o ProxyOptions) (*policy.Policy, []string, error) {
	files := []string{b.Paths.ConfigFile}
	file, err := b.Config()
	if err != nil {
		return nil, files, err
	}
	r, err := file.Resolve(o.Overrides, b.Env)
	if err != nil {
		return nil, files, err
	}
	if r.Policy != "" {
		files = append(files, r.Policy)
	}
	p, _, err := file.Policy(r)
	if err == nil && o.ReadOnly {
		set := p.Set()
		set.ReadOnly = true
		p, err = policy.Compile(set)
	}
	return p, files, err
}

// relay connects the client and the server until one of them ends.
func (b *Broker) relay(ctx context.Context, o ProxyOptions, log *logbook, r config.Resolved,
	server server, session *signIn, shared *gate.Server, explorer *exploration,
) int {
	shared.Start(ctx)
	guarded := shared.NewSession(gate.SessionConfig{SignIn: session, Login: b.askedLogin(o.Overrides), Explorer: explorer.face()})
	var clientEnded atomic.Bool
	file := relay.Config{
		Client:      relay.Endpoint{R: o.In, W: o.Out},
		Backend:     server.ends(),
		CallTimeout: o.CallTimeout,
		Stray:       (&strayLog{log: log}).note,
		ClientGone: func() {
			clientEnded.Store(true)
			server.stop()
		},
		ExitReason: func() string {
			if ctx.Err() != nil {
				return "mcpauth: the proxy was stopped before the server answered"
			}
			return server.exitReason()
		},
	}
	if o.Restart {
		file.Revive = server.revive
	}
	guarded.Configure(&file)
	lines := relay.New(file)
	guarded.Bind(lines)
	if explorer != nil {
		explorer.attach(guarded, session, r, server)
	}
	go guarded.Run(ctx)
	lines.Run(ctx)
	guarded.Close()
	shared.Close()
	code, killed := server.finish()
	if clientEnded.Load() && killed {
		return problem.ExitOK // we ended it, because the client was done with it
	}
	return code
}

// askedLogin signs in to a profile by the code that login runs, but leaves it to the
// AI client to show the page.
func (b *Broker) askedLogin(o config.Overrides) func(context.Context, LoginOptions, func(gate.SignInPage)) error {
	return func(ctx context.Context, options LoginOptions, show func(gate.SignInPage)) error {
		resolved, client, err := b.resolveClient(ctx, o)
		if err != nil {
			return err
		}
		options.Timeout, options.Invited = gate.PromptTime, true
		options.UI = LoginUI{ShowURL: func(address string, _ bool) {
			show(gate.SignInPage{Profile: resolved.Name, Host: resolved.Host(), Address: address})
		}}
		user, err := b.accounts.Login(ctx, client, options)
		b.recordLogin(resolved, user, err)
		return err
	}
}

// tellFailure answers the client's calls with the reason why there is no
// server, for a moment: a client hides stderr, and a user who starts the proxy by
// hand does not want to wait.
func tellFailure(ctx context.Context, o ProxyOptions, problem *problem.Problem) {
	const patience = 2 * time.Second
	silent, over := io.Pipe()
	time.AfterFunc(patience, func() { _ = over.Close() })
	words := "mcpauth: " + problem.Msg
	relay.New(relay.Config{
		Client:     relay.Endpoint{R: o.In, W: o.Out},
		Backend:    relay.Endpoint{R: silent, W: io.Discard},
		Gate:       failedGate{words},
		Stray:      func(relay.Stray, []byte) {},
		ClientGone: func() { _ = over.Close() },
		ExitReason: func() string { return words },
	}).Run(ctx)
}

// failedGate answers every call with the same error.
type failedGate struct{ words string }

func (g failedGate) FromClient(m *relay.Message) relay.Verdict {
	if m.Kind() != relay.Call {
		return relay.Verdict{Action: relay.Drop}
	}
	return relay.Verdict{Action: relay.Answer, Line: relay.AppendError(nil, m.ID(), relay.CodeBackendGone, g.words, nil)}
}

func (failedGate) Uncommitted(*relay.Request, error) []byte { return nil } // it forwards nothing

func (failedGate) Refused(*relay.Refusal) {}

func (failedGate) FromBackend(*relay.Output, *relay.Request) relay.Verdict {
	return relay.Verdict{Action: relay.Drop}
}
