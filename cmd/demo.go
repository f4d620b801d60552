package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/cmd/accountcmd"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/demo"
	"github.com/mcpauth/mcpauth/keychain"
)

// demoServerCommand starts the MCP server of the demo: a program of its own
// that knows nothing of mcpauth but the user in its calls.
const demoServerCommand = "demo-server"

func newDemoServer(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:    demoServerCommand,
		Short:  "The MCP server that the demo puts behind the proxy",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: func(c *cobra.Command, _ []string) error {
			return demo.Serve(c.Context(), a.In, a.Out)
		},
	}
}

func newDemo(a *console.App) *cobra.Command {
	var withBrowser bool
	c := &cobra.Command{
		Use:     "demo",
		Short:   "See the whole thing work on this machine, without any set-up",
		Example: "  mcpauth demo",
		Long: "Starts a small OpenID provider on loopback, signs in to it by the code that\n" +
			"`mcpauth login` runs, starts an MCP server behind the code that `mcpauth proxy`\n" +
			"runs, and calls a tool. Needs no network and leaves nothing behind.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			console.IgnoreBrokenPipes() // or `| head` would leave tokens behind
			return (&demoRun{App: a, withBrowser: withBrowser}).run(c.Context())
		},
	}
	c.Flags().BoolVar(&withBrowser, "browser", false, "sign in by clicking in your browser")
	c.AddCommand(newDemoServer(a))
	return c
}

// demoRun is one run of the demo.
type demoRun struct {
	*console.App
	withBrowser bool
	broker      *broker.Broker
	overrides   config.Overrides
	step        int
	report      map[string]any // for --json
}

func (d *demoRun) run(ctx context.Context) (err error) {
	d.report = map[string]any{}
	dir, err := os.MkdirTemp("", "mcpauth-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	provider, err := demoidp.Start(demoidp.Options{AutoApprove: !d.withBrowser})
	if err != nil {
		return err
	}
	defer func() { _ = provider.Close() }()
	d.open(ctx, dir, provider.Issuer())
	d.tell("An OpenID provider listens on %s", provider.Issuer())
	if err := d.signIn(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.signOut()) }()
	if err := d.useTools(ctx); err != nil {
		return err
	}
	d.goOn()
	return nil
}

// open makes a broker with files of its own.
func (d *demoRun) open(ctx context.Context, dir, issuer string) {
	store := d.usableStore(ctx)
	d.broker = broker.New(broker.Options{
		Paths: config.Paths{ConfigFile: filepath.Join(dir, "config.toml"), StateDir: filepath.Join(dir, "state")},
		Store: store,
		Env:   func(string) string { return "" },
	})
	d.overrides = config.Overrides{Profile: "demo", Issuer: issuer, ClientID: demoidp.DefaultClientID}
}

// usableStore is the OS keychain where there is one, and memory otherwise: a
// demo must work on any machine. It says so; nothing but the demo does this.
func (d *demoRun) usableStore(ctx context.Context) keychain.Store {
	const probe = "demo-probe"
	store := d.Deps.Keychain(console.PatienceProxy)
	err := store.Set(ctx, probe, keychain.NewSecret("probe"))
	if err == nil {
		err = store.Delete(ctx, probe)
	}
	if err == nil {
		return store
	}
	d.Say("There is no usable keychain here (%s),", console.Printable(err.Error()))
	d.Say("so the demo keeps its tokens in memory. `mcpauth login` would refuse that.")
	return keychain.Memory()
}

func (d *demoRun) signIn(ctx context.Context) error {
	resolved, err := d.broker.Resolve(d.overrides)
	if err != nil {
		return err
	}
	ui := accountcmd.LoginUI(d.App, false, time.Minute)
	if !d.withBrowser {
		ui = broker.LoginUI{OpenURL: visit}
	}
	user, _, err := d.broker.Login(ctx, resolved, broker.LoginOptions{UI: ui, Timeout: time.Minute})
	if err != nil {
		return err
	}
	d.tell("%s signed in there (authorization code with PKCE); the tokens are in: %s", console.WhoIs(user), d.broker.Store.Name())
	d.report["user"], d.report["stored_in"] = user, d.broker.Store.Name()
	return nil
}

// visit is a browser without a window: it follows the redirects from the
// provider to the loopback listener, and reads the page there.
func visit(ctx context.Context, address string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	go func() {
		response, err := (&http.Client{Jar: jar}).Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	}()
	return nil
}

// signOut leaves nothing in the keychain, even after ctrl+c.
func (d *demoRun) signOut() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	resolved, err := d.broker.Resolve(d.overrides)
	if err != nil {
		return err
	}
	_, err = d.broker.Logout(ctx, resolved, broker.LogoutOptions{})
	return err
}

// useTools is an AI client at work: it starts the proxy with the server behind
// it, lists the tools and calls them.
func (d *demoRun) useTools(ctx context.Context) error {
	self, err := d.Deps.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	toProxy, fromClient := io.Pipe()
	toClient, fromProxy := io.Pipe()
	overrides := d.overrides
	overrides.Command = []string{self, "demo", demoServerCommand}
	var log bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		_, err := d.broker.Proxy(ctx, broker.ProxyOptions{
			Overrides: overrides, Environ: d.Deps.Environ, In: toProxy, Out: fromProxy, Log: &log,
		})
		_ = fromProxy.Close()
		ended <- err
	}()
	err = d.session(ctx, toClient, fromClient)
	_ = fromClient.Close()
	return errors.Join(err, <-ended)
}

func (d *demoRun) session(ctx context.Context, from io.Reader, to io.WriteCloser) error {
	names, call, err := demo.Connect(ctx, from, to)
	if err != nil {
		return err
	}
	d.report["tools"] = names
	d.tell("An MCP server runs behind the proxy; its tools: %s", strings.Join(names, ", "))
	who, err := call("whoami")
	if err != nil {
		return err
	}
	answer, request, _ := strings.Cut(who, "\n")
	d.tell("The AI client calls whoami and reads:")
	d.fact("   %s", console.Printable(answer))
	d.report["whoami"] = answer
	d.showRequest(request)
	orders, err := call("my_orders")
	if err != nil {
		return err
	}
	d.tell("It calls my_orders, which declares the argument %s:", broker.UserArgument)
	d.fact("   %s", console.Printable(orders))
	d.report["my_orders"] = orders
	return nil
}

// showRequest shows what the server received, indented.
func (d *demoRun) showRequest(line string) {
	d.report["request"] = json.RawMessage(line)
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(line), "", "  "); err != nil {
		indented.Reset()
		indented.WriteString(line)
	}
	d.tell("The client sent no user. What the server received:")
	for line := range strings.Lines(indented.String()) {
		d.fact("   %s", console.Printable(strings.TrimSuffix(line, "\n")))
	}
}

// goOn ends with what a user types next.
func (d *demoRun) goOn() {
	if d.JSON {
		d.PrintJSON(d.report)
		return
	}
	d.fact("")
	d.fact("Now with your own provider and server:")
	d.fact("  mcpauth login --issuer https://login.example.com --client-id YOUR_CLIENT_ID")
	d.fact("  mcpauth status")
	d.fact("  mcpauth proxy -- python3 main.py     # as a stdio server in your AI client")
}

// tell counts the steps of the story.
func (d *demoRun) tell(format string, args ...any) {
	d.step++
	d.fact("%d. %s", d.step, console.Printable(fmt.Sprintf(format, args...)))
}

// fact keeps standard output for the object with --json.
func (d *demoRun) fact(format string, args ...any) {
	if d.JSON {
		return
	}
	d.App.Fact(format, args...)
}
