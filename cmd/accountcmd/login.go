// Package accountcmd has the commands about who is signed in: login, logout, status,
// token, lock, unlock, profile and store.
package accountcmd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

type loginOptions struct {
	overrides config.Overrides
	noBrowser bool
	timeout   time.Duration
	timed     bool // the user said how long
	scopes    []string
	reauth    bool
	acr       []string
	device    bool
	wait      bool
	store     string
	trace     bool
}

func NewLogin(a *console.App) *cobra.Command {
	o := &loginOptions{}
	c := &cobra.Command{
		Use:   "login",
		Short: "Sign in with the browser and keep the tokens in the OS keychain",
		Long: "Opens the sign-in page of the profile's OpenID provider in your browser, checks\n" +
			"the answer and keeps the tokens in the OS keychain. A first login with --issuer\n" +
			"and --client-id makes a profile; later ones need no flags. For a second account\n" +
			"at the same provider give it a profile of its own: --profile work2.\n\n" +
			"On a machine that you reach by SSH, --no-browser shows a link for the browser in\n" +
			"front of you; nothing has to be pasted. It leads to a port of that machine and\n" +
			"back to it, so forward that port before you open it. A fixed one is handy:\n" +
			"  ssh -L 8765:127.0.0.1:8765 HOST\n" +
			"  mcpauth login --no-browser --redirect-uri http://127.0.0.1:8765/callback\n" +
			"Where the provider offers it, --device needs no forwarding.\n\n" +
			"With --json it prints one event a line while it runs: the link, then the outcome.\n" +
			"An agent that cannot read what a running command prints uses a code instead:\n" +
			"`mcpauth login --device --json` prints it and ends, and `mcpauth login --wait`\n" +
			"finishes that sign-in. Nothing runs in between.",
		Example: "  mcpauth login --issuer https://login.example.com --client-id mcpauth-desktop\n" +
			"  mcpauth login --profile orders --scope orders.write\n" +
			"  mcpauth login --no-browser      print the link, for a browser elsewhere\n" +
			"  mcpauth login --device          show a code, for any other device",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runLogin(a, c, o) },
	}
	flags := c.Flags()
	clientFlags(c, &o.overrides)
	flags.StringSliceVar(&o.scopes, "scope", nil, "ask for these scopes, too, now and at later sign-ins until logout (repeat, or separate by commas)")
	flags.BoolVar(&o.reauth, "reauth", false, "sign in again, whatever the browser remembers")
	flags.StringSliceVar(&o.acr, "acr", nil, "sign in in one of these ways, in the provider's words (acr_values)")
	flags.StringVar(&o.store, "store", "", "where to keep the tokens of all profiles, before the first sign-in: keychain, or age for a file with a passphrase")
	flags.BoolVar(&o.noBrowser, "no-browser", false, "print the link instead of opening it")
	flags.BoolVar(&o.device, "device", false, "sign in on another device with a code, where there is no browser")
	flags.BoolVar(&o.wait, "wait", false, "finish the sign-in that login --device --json began")
	flags.DurationVar(&o.timeout, "timeout", Patience, "give up after this time; with --device the provider's own")
	flags.BoolVar(&o.trace, "trace", false, "show each step with its parameters, without secrets")
	return c
}

// Patience is how long a user may take by default.
const Patience = 3 * time.Minute

// options are what the broker has to know.
func (o *loginOptions) options(ui broker.LoginUI) broker.LoginOptions {
	return broker.LoginOptions{
		UI: ui, Timeout: o.patience(), Scopes: o.scopes, Reauth: o.reauth, ACR: o.acr, Device: o.device,
	}
}

// patience is how long the user may take; 0 for as long as the code for another
// device is good.
func (o *loginOptions) patience() time.Duration {
	if (o.device || o.wait) && !o.timed {
		return 0
	}
	return o.timeout
}

// left is how long a code can be used: as long as it is good, and we wait.
func left(code broker.DeviceCode, patience time.Duration) time.Duration {
	if patience > 0 {
		return min(patience, code.ExpiresIn)
	}
	return code.ExpiresIn
}

// clientFlags are the flags that say who we are at which provider.
func clientFlags(c *cobra.Command, o *config.Overrides) {
	flags := c.Flags()
	flags.StringVar(&o.Issuer, "issuer", "", "issuer URL of the OpenID provider")
	flags.StringVar(&o.ClientID, "client-id", "", "client_id of this application at the provider")
	flags.StringSliceVar(&o.RedirectURIs, "redirect-uri", nil, "redirect URI that the provider demands (repeat: tried in order)")
	flags.StringVar(&o.Provider, "provider", "", "provider, if its issuer does not tell: "+strings.Join(config.ProviderNames(), ", "))
	flags.StringVar(&o.Audience, "audience", "", "audience to ask for (Auth0 and alike)")
	flags.StringVar(&o.CAFile, "ca-file", "", "certificates (PEM) to trust at the provider, beside the system's (default: SSL_CERT_FILE)")
	flags.StringVar(&o.Proxy, "proxy", "", "HTTP proxy to the provider (default: HTTPS_PROXY)")
	flags.StringVar(&o.Resource, "resource", "", "resource to ask for (RFC 8707)")
}

func runLogin(a *console.App, c *cobra.Command, o *loginOptions) error {
	ctx := c.Context()
	a.Events = a.JSON
	if o.timeout <= 0 {
		return console.Usage("--timeout must be longer than nothing", "mcpauth login --timeout 3m")
	}
	o.timed = c.Flags().Changed("timeout")
	if o.wait && (o.device || o.noBrowser || o.reauth || len(o.scopes) > 0 || len(o.acr) > 0) {
		return console.Usage("--wait finishes a sign-in as it was begun; --device, --no-browser, --scope, --reauth and --acr belong to its beginning", "mcpauth login --wait")
	}
	b, err := a.Broker(console.Patience)
	if err != nil {
		return err
	}
	if err := chooseStore(ctx, a, b, o.store); err != nil {
		return err
	}
	o.overrides.Profile = a.Profile
	resolved, err := b.Resolve(o.overrides)
	if err != nil {
		return err
	}
	a.Say("Signing in to %s at %s", console.Printable(resolved.Name), resolved.Host())
	if a.JSON && o.device {
		return beginDevice(ctx, a, b, resolved, o)
	}
	user, remembered, err := loginTraced(ctx, a, b, resolved, o)
	switch {
	case err == nil:
		reportLogin(a, b, resolved, user, remembered)
		tellNext(ctx, a, b, resolved, user, o.scopes)
	case !o.wait:
		return asTyped(c, resolved.LoginCommand(), err)
	}
	return err
}

// beginDevice prints the code of a sign-in that login --wait finishes.
func beginDevice(ctx context.Context, a *console.App, b *broker.Broker, r config.Resolved, o *loginOptions) error {
	ui := LoginUI(a, o.noBrowser, o.timeout)
	ui.Log = traceLog(a, o.trace)
	code, err := b.Device().Begin(ctx, r, o.options(ui))
	if err != nil {
		return err
	}
	members := codeMembers(r, code)
	members["next_step"] = r.LoginCommand("--wait", "--json")
	a.PrintEvent("code", members)
	return nil
}

func codeMembers(r config.Resolved, code broker.DeviceCode) map[string]any {
	members := map[string]any{"profile": r.Name, "url": code.URL, "user_code": code.UserCode, "expires_in": int(code.ExpiresIn.Seconds())}
	if code.FullURL != "" {
		members["full_url"] = code.FullURL
	}
	return members
}

// withEvents has a sign-in print its link as an event, too. A browser can be back
// before it is known to have opened; then the link is printed at the end.
func withEvents(a *console.App, ui broker.LoginUI, r config.Resolved, o *loginOptions) (with broker.LoginUI, end func()) {
	if !a.Events {
		return ui, func() {}
	}
	var opening atomic.Pointer[string] // the link that was not printed yet
	printLink := func(address string, opened bool) {
		opening.Store(nil)
		a.PrintEvent("link", map[string]any{"profile": r.Name, "url": address, "opened": opened, "expires_in": int(o.timeout.Seconds())})
	}
	say, open := ui.ShowURL, ui.OpenURL
	ui.ShowURL = func(address string, opened bool) {
		say(address, opened)
		printLink(address, opened)
	}
	if open != nil {
		ui.OpenURL = func(ctx context.Context, address string) error {
			opening.Store(&address)
			return open(ctx, address)
		}
	}
	return ui, func() {
		if address := opening.Load(); address != nil {
			printLink(*address, true)
		}
	}
}

func loginTraced(ctx context.Context, a *console.App, b *broker.Broker, r config.Resolved, o *loginOptions) (broker.User, bool, error) {
	ui, printLink := withEvents(a, LoginUI(a, o.noBrowser, o.patience()), r, o)
	ui.Log = traceLog(a, o.trace)
	login := b.Login
	if o.wait {
		login = b.Device().Finish
	}
	user, remembered, err := login(ctx, r, o.options(ui))
	printLink()
	return user, remembered, err
}

func reportLogin(a *console.App, b *broker.Broker, r config.Resolved, user broker.User, remembered bool) {
	if remembered {
		a.Say("Profile %s is remembered in %s", r.Name, b.Paths.ConfigFile)
	}
	for _, line := range r.Unremembered(b.Env, b.Paths.ConfigFile, remembered) {
		a.Say("  %s", console.Printable(line))
	}
	if a.JSON {
		a.PrintEvent("signed_in", map[string]any{"profile": r.Name, "user": user, "stored_in": b.Store.Name(), "remembered": remembered})
		return
	}
	a.Fact("✓ Signed in as %s. The tokens are in: %s", console.WhoIs(user), b.Store.Name())
}

// tellNext says what is missing after a sign-in, and the step that comes next.
func tellNext(ctx context.Context, a *console.App, b *broker.Broker, r config.Resolved, user broker.User, asked []string) {
	if a.JSON {
		return
	}
	for _, scope := range asked {
		if !slices.Contains(user.Scopes, scope) {
			a.Say("  The provider did not grant the scope %s", console.Printable(scope))
		}
	}
	status, err := b.Status(ctx, r)
	if err == nil && !status.HasRefreshToken && r.Grant != config.GrantMachine && !status.ExpiresAt.IsZero() {
		a.Say("  No refresh token came, so this sign-in ends at %s; allow the application refresh tokens at the provider",
			text.Moment(status.ExpiresAt, time.Now()))
	}
	profile := " --profile " + text.QuoteWord(r.Name)
	uses := b.Profiles().Uses(r.Name)
	switch {
	case len(uses) > 0:
		for _, use := range uses {
			a.Say("  Set up in %s", console.Printable(use.String()))
		}
		if len(r.Command) > 0 {
			a.Say("  See its tools:  mcpauth tools list%s", profile)
		}
	case len(r.Command) > 0:
		a.Say("  Next, add the server to an AI client:  mcpauth client add%s", profile)
	default:
		a.Say("  Next, add a server to an AI client:  mcpauth client add%s -- python3 main.py", profile)
	}
}

// LoginUI is a sign-in on a terminal.
func LoginUI(a *console.App, noBrowser bool, timeout time.Duration) broker.LoginUI {
	ui := broker.LoginUI{
		ShowURL: func(address string, opened bool) {
			if opened {
				a.Say("Your browser should open now. If it does not, open:")
			} else {
				a.Say("Open this page in your browser:")
			}
			a.Say("  %s", address)
			a.Say("Waiting for the browser (ctrl+c to stop, %s left)", text.Span(timeout))
		},
		Expect: func(redirectURI, clientID string) {
			a.Say("If the provider shows an error: register exactly %s and check the client ID %s", console.Printable(redirectURI), console.Printable(clientID))
		},
		ShowCode: func(code broker.DeviceCode) {
			a.Say("On any device, open:  %s", code.URL)
			a.Say("and enter the code:   %s", console.Printable(code.UserCode))
			a.Say("Only do so for a sign-in that you began yourself.")
			a.Say("Waiting (ctrl+c to stop, %s left)", text.Span(left(code, timeout)))
		},
		Waiting: func(text string) { a.Say("%s (ctrl+c to stop)", console.Printable(text)) },
		Confirm: a.Agree,
		Warn:    func(text string) { a.Say("mcpauth: %s", console.Printable(text)) },
	}
	if !noBrowser {
		ui.OpenURL = a.Browser(a.Err)
	}
	return ui
}

// asTyped has the hints of a problem repeat this command as it was typed, with all
// its flags, instead of in the broker's words. They name a time of their own.
func asTyped(c *cobra.Command, brokers string, err error) error {
	var problem *problem.Problem
	if !errors.As(err, &problem) {
		return err
	}
	typed := []string{c.CommandPath()}
	c.Flags().Visit(func(f *pflag.Flag) { typed = append(typed, typedFlag(f)...) })
	for i, hint := range problem.Hints {
		if rest, ok := strings.CutPrefix(hint, brokers); ok {
			problem.Hints[i] = strings.Join(typed, " ") + rest
		}
	}
	return err
}

// typedFlag is a flag of a command line for another one; there is none that takes
// a secret.
func typedFlag(f *pflag.Flag) []string {
	values := []string{f.Value.String()}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		values = list.GetSlice()
	}
	var words []string
	for _, value := range values {
		switch {
		case f.Name == "timeout":
		case f.Value.Type() == "bool" && value == "true":
			words = append(words, "--"+f.Name)
		default:
			words = append(words, "--"+f.Name, text.QuoteWord(value))
		}
	}
	return words
}
