package cmd

import (
	"context"
	"net/url"
	"strings"
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
	store     string
}

func newLogin(a *app) *cobra.Command {
	o := &loginOptions{}
	c := &cobra.Command{
		Use:   "login",
		Short: "Sign in with the browser and keep the tokens in the OS keychain",
		Long: "Opens the sign-in page of the profile's OpenID provider in your browser, checks\n" +
			"the answer and keeps the tokens in the OS keychain. A first login with --issuer\n" +
			"and --client-id makes a profile; later ones need no flags.",
		Example: "  mcpauth login --issuer https://login.example.com --client-id mcpauth-desktop\n" +
			"  mcpauth login --profile orders --scope orders.write\n" +
			"  mcpauth login --no-browser      print the link, for a browser elsewhere",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.login(c.Context(), o) },
	}
	flags := c.Flags()
	clientFlags(c, &o.overrides)
	flags.StringSliceVar(&o.scopes, "scope", nil, "ask for these scopes, too, now and at later sign-ins until logout (repeat, or separate by commas)")
	flags.BoolVar(&o.reauth, "reauth", false, "prove anew who you are, whatever the browser remembers")
	flags.StringSliceVar(&o.acr, "acr", nil, "sign in in one of these ways, in the provider's words (acr_values)")
	flags.StringVar(&o.store, "store", "", "where to keep the tokens of all profiles, before the first sign-in: keychain, or age for a file with a passphrase")
	flags.BoolVar(&o.noBrowser, "no-browser", false, "print the link instead of opening it")
	flags.DurationVar(&o.timeout, "timeout", 3*time.Minute, "give up after this time")
	return c
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

func (a *app) login(ctx context.Context, o *loginOptions) error {
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
	if err != nil {
		return err
	}
	a.say("Signing in to %s at %s", printable(resolved.Name), host(resolved.Issuer))
	user, remembered, err := b.Login(ctx, resolved, broker.LoginOptions{
		UI: a.loginUI(o.noBrowser, o.timeout), Timeout: o.timeout, Scopes: o.scopes, Reauth: o.reauth, ACR: o.acr,
	})
	if err != nil {
		return err
	}
	if remembered {
		a.say("Profile %s is remembered in %s", resolved.Name, b.Paths.ConfigFile)
	}
	if a.json {
		a.printJSON(map[string]any{
			"profile": resolved.Name, "user": user, "stored_in": b.Store.Name(), "remembered": remembered,
		})
		return nil
	}
	a.fact("✓ Signed in as %s. The tokens are in: %s", whoIs(user), b.Store.Name())
	a.say("  Put a server behind it:  mcpauth proxy -- python3 main.py")
	return nil
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
			a.say("Waiting for the browser (ctrl+c to stop, %s left)", span(timeout))
		},
		Waiting: func(text string) { a.say("%s (ctrl+c to stop)", printable(text)) },
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

func host(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return printable(issuer)
	}
	return printable(strings.TrimPrefix(u.Host, "www."))
}
