package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

type loginOptions struct {
	overrides broker.Overrides
	noBrowser bool
	timeout   time.Duration
	scopes    []string
	reauth    bool
	acr       []string
	device    bool
	wait      bool
	detached  bool
	store     string
	trace     tracing
}

func newLogin(a *app) *cobra.Command {
	o := &loginOptions{}
	c := &cobra.Command{
		Use:   "login",
		Short: "Sign in with the browser and keep the tokens in the OS keychain",
		Long: "Opens the sign-in page of the profile's OpenID provider in your browser, checks\n" +
			"the answer and keeps the tokens in the OS keychain. A first login with --issuer\n" +
			"and --client-id makes a profile; later ones need no flags. For a second account\n" +
			"at the same provider give it a profile of its own: --profile work2.\n\n" +
			"On a machine that you reach by SSH, --no-browser shows a link for the browser in\n" +
			"front of you; nothing has to be pasted. Its answer goes to the port in the link's\n" +
			"redirect_uri, so forward that port before you open it. A fixed one is handy:\n" +
			"  ssh -L 8765:127.0.0.1:8765 HOST\n" +
			"  mcpauth login --no-browser --redirect-uri http://127.0.0.1:8765/callback\n" +
			"Where the provider offers it, --device needs no forwarding.\n\n" +
			"Scripts and agents sign a person in in two steps: with --json the command prints\n" +
			"url, expires_in and next_step and ends, while the sign-in goes on in the\n" +
			"background; `mcpauth login --wait` then waits for its outcome.",
		Example: "  mcpauth login --issuer https://login.example.com --client-id mcpauth-desktop\n" +
			"  mcpauth login --profile orders --scope orders.write\n" +
			"  mcpauth login --no-browser      print the link, for a browser elsewhere\n" +
			"  mcpauth login --device          show a code, for any other device",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.login(c, o) },
	}
	flags := c.Flags()
	clientFlags(c, &o.overrides)
	flags.StringSliceVar(&o.scopes, "scope", nil, "ask for these scopes, too, now and at later sign-ins until logout (repeat, or separate by commas)")
	flags.BoolVar(&o.reauth, "reauth", false, "prove anew who you are, whatever the browser remembers")
	flags.StringSliceVar(&o.acr, "acr", nil, "sign in in one of these ways, in the provider's words (acr_values)")
	flags.StringVar(&o.store, "store", "", "where to keep the tokens of all profiles, before the first sign-in: keychain, or age for a file with a passphrase")
	flags.BoolVar(&o.noBrowser, "no-browser", false, "print the link instead of opening it")
	flags.BoolVar(&o.device, "device", false, "sign in on another device with a code, where there is no browser")
	flags.BoolVar(&o.wait, "wait", false, "wait for the sign-in that login --json began; without one, sign in now")
	flags.DurationVar(&o.timeout, "timeout", loginPatience, "give up after this time; with --device the provider's own")
	flags.BoolVar(&o.trace.show, "trace", false, "show each step with its parameters, without secrets, and what is known to go wrong there")
	flags.StringVar(&o.trace.file, "trace-file", "", "write the steps to this file, which can be shared: it has no secrets and says nothing of you")
	flags.BoolVar(&o.detached, inBackground, false, "")
	if err := flags.MarkHidden(inBackground); err != nil {
		panic(err) // it was defined a line above
	}
	return c
}

// loginPatience is how long a person may take by default.
const loginPatience = 3 * time.Minute

// options are what the broker has to know.
func (o *loginOptions) options(ui broker.LoginUI) broker.LoginOptions {
	options := broker.LoginOptions{
		UI: ui, Timeout: o.timeout, Scopes: o.scopes, Reauth: o.reauth, ACR: o.acr, Device: o.device,
	}
	if o.device && o.timeout == loginPatience {
		options.Timeout = 0 // a code has a life of its own
	}
	return options
}

// clientFlags are the flags that say who we are at which provider.
func clientFlags(c *cobra.Command, o *broker.Overrides) {
	flags := c.Flags()
	flags.StringVar(&o.Issuer, "issuer", "", "issuer URL of the OpenID provider")
	flags.StringVar(&o.ClientID, "client-id", "", "client_id of this application at the provider")
	flags.StringSliceVar(&o.RedirectURIs, "redirect-uri", nil, "redirect URI that the provider demands (repeat: tried in order)")
	flags.StringVar(&o.Provider, "provider", "", "kind of provider, when its issuer does not tell: okta-org, okta-custom, entra, google, auth0, keycloak, dex, generic")
	flags.StringVar(&o.Audience, "audience", "", "audience to ask for (Auth0 and alike)")
	flags.StringVar(&o.Resource, "resource", "", "resource to ask for (RFC 8707)")
}

func (a *app) login(c *cobra.Command, o *loginOptions) error {
	ctx := c.Context()
	if o.timeout <= 0 {
		return usage("--timeout must be longer than nothing", "mcpauth login --timeout 3m")
	}
	b, err := a.broker(keychainPatience)
	if err != nil {
		return err
	}
	if err := a.chooseStore(ctx, b, o.store); err != nil {
		return err
	}
	o.overrides.Profile = a.profile
	resolved, err := b.Resolve(o.overrides)
	switch {
	case err != nil:
		return err
	case o.detached:
		return a.loginInBackground(ctx, b, resolved, o)
	case a.json && !o.wait:
		return a.beginLogin(c, resolved)
	}
	if o.wait {
		if done, err := a.awaitLogin(ctx, b, resolved, o); done || err != nil {
			return err
		}
	}
	a.say("Signing in to %s%s at %s", printable(resolved.Name), boundWords(resolved), resolved.Host())
	user, remembered, err := a.loginTraced(ctx, b, resolved, o)
	if err != nil {
		return err
	}
	a.reportLogin(b, resolved, user, remembered)
	return nil
}

func (a *app) loginTraced(ctx context.Context, b *broker.Broker, r broker.Resolved, o *loginOptions) (broker.User, bool, error) {
	take, end, err := o.trace.begin(a.Err)
	if err != nil {
		return broker.User{}, false, err
	}
	ui := a.loginUI(o.noBrowser, o.timeout)
	ui.Trace = take
	user, remembered, err := b.Login(ctx, r, o.options(ui))
	if err := end(); err != nil {
		a.say("mcpauth: %v", err)
	}
	return user, remembered, err
}

func (a *app) reportLogin(b *broker.Broker, r broker.Resolved, user broker.User, remembered bool) {
	if remembered {
		a.say("Profile %s is remembered in %s", r.Name, b.Paths.ConfigFile)
	}
	if a.json {
		a.printJSON(map[string]any{"profile": r.Name, "user": user, "stored_in": b.Store.Name(), "remembered": remembered})
		return
	}
	a.fact("✓ Signed in as %s. The tokens are in: %s", whoIs(user), b.Store.Name())
	a.say("  Put a server behind it:  mcpauth proxy -- python3 main.py")
}

// loginUI is a sign-in on a terminal.
func (a *app) loginUI(noBrowser bool, timeout time.Duration) broker.LoginUI {
	ui := broker.LoginUI{
		ShowURL: func(address string, opened bool) {
			if opened {
				a.say("Your browser should open now. If it does not, open:")
			} else {
				a.say("Open this page in your browser:")
			}
			a.say("  %s", address)
			a.say("Waiting for the browser (ctrl+c to stop, %s left)", broker.TimeSpan(timeout))
		},
		ShowCode: func(code broker.DeviceCode) {
			a.say("On any device, open:  %s", code.URL)
			a.say("and enter the code:   %s", printable(code.UserCode))
			a.say("Only do so for a sign-in that you began yourself.")
			a.say("Waiting (ctrl+c to stop, %s left)", broker.TimeSpan(code.ExpiresIn))
		},
		Waiting: func(text string) { a.say("%s (ctrl+c to stop)", printable(text)) },
		Confirm: a.agree,
		Warn:    func(text string) { a.say("mcpauth: %s", printable(text)) },
	}
	if !noBrowser {
		opener := browser{env: a.deps.Env, talk: a.Err}
		ui.OpenURL = opener.open
	}
	return ui
}

// whoIs names a user for people.
func whoIs(user broker.User) string {
	for _, name := range []string{user.Email, user.PreferredUsername, user.Name, user.Sub} {
		if name != "" {
			return printable(name)
		}
	}
	return "an unnamed user"
}
