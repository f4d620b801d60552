package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/keychain"
)

func newProfile(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "profile",
		Short: "The accounts and servers that mcpauth knows",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newProfileAdd(a), newProfileList(a), newProfileShow(a), newProfileUse(a), newProfileSecret(a), newProfileRemove(a), newProfileBind(a), newProfileUnbind(a))
	return c
}

type addOptions struct {
	overrides   broker.Overrides
	secretStdin bool
}

func newProfileAdd(a *app) *cobra.Command {
	o := &addOptions{}
	c := &cobra.Command{
		Use:     "add NAME --issuer URL --client-id ID [flags] [-- COMMAND [ARG...]]",
		Short:   "Add a profile to the configuration file",
		Example: "  mcpauth profile add orders --issuer https://login.example.com --client-id orders-desktop -- python3 main.py",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("profile add needs a name", "mcpauth profile add NAME --issuer URL --client-id ID")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 && c.ArgsLenAtDash() != 1 {
				return usage("the command of a profile stands behind --", "mcpauth profile add "+args[0]+" … -- COMMAND")
			}
			return a.addProfile(c.Context(), args[0], args[1:], o)
		},
	}
	clientFlags(c, &o.overrides)
	flags := c.Flags()
	flags.StringSliceVar(&o.overrides.Scopes, "scope", nil, "scopes to ask for (repeat, or separate by commas)")
	flags.StringVar(&o.overrides.Cwd, "cwd", "", "folder in which the command is started")
	flags.StringVar(&o.overrides.UserContext, "user-context", "", "auto, always or never")
	flags.StringVar(&o.overrides.GroupsClaim, "groups-claim", "", "claim that holds the groups; a dot leads into an object")
	flags.StringVar(&o.overrides.RolesClaim, "roles-claim", "", "claim that holds the roles")
	flags.StringVar(&o.overrides.IdleLimit, "idle-limit", "", "end a sign-in after this time without a call (like 30m)")
	flags.StringVar(&o.overrides.AbsoluteLimit, "absolute-limit", "", "end a sign-in this time after it began (like 12h or 7d)")
	flags.StringVar(&o.overrides.Grant, "grant", "", "authorization_code, or client_credentials for a machine")
	flags.StringVar(&o.overrides.ClientSecretFile, "client-secret-file", "", "file that holds the client secret alone, and that nobody else can read")
	flags.BoolVar(&o.secretStdin, "client-secret-stdin", false, "read the client secret from standard input and keep it in the keychain")
	return c
}

func (a *app) addProfile(ctx context.Context, name string, command []string, o *addOptions) error {
	f := o.overrides
	if f.Issuer == "" || f.ClientID == "" {
		return usage("a profile needs an issuer and a client_id", "mcpauth profile add "+name+" --issuer URL --client-id ID")
	}
	b, err := a.broker(keychainPatience)
	if err != nil {
		return err
	}
	var secret keychain.Secret
	if o.secretStdin {
		if secret, err = a.readSecret(ctx, "Client secret: "); err != nil {
			return err
		}
	}
	err = b.AddProfile(ctx, name, broker.Profile{
		Issuer: f.Issuer, ClientID: f.ClientID, Scopes: f.Scopes, RedirectURIs: f.RedirectURIs,
		Audience: f.Audience, Resource: f.Resource, Provider: f.Provider, Command: command, Cwd: f.Cwd, UserContext: f.UserContext,
		GroupsClaim: f.GroupsClaim, RolesClaim: f.RolesClaim,
		Grant: f.Grant, ClientSecretFile: f.ClientSecretFile, IdleLimit: f.IdleLimit, AbsoluteLimit: f.AbsoluteLimit,
	}, secret)
	if err != nil {
		return err
	}
	a.done(map[string]any{"profile": name, "file": b.Paths.ConfigFile}, "✓ Added profile %s to %s", name, b.Paths.ConfigFile)
	a.say("  Sign in with:  mcpauth login --profile %s", name)
	return nil
}

// done reports that something was done, as a fact or as JSON.
func (a *app) done(members map[string]any, format string, args ...any) {
	if a.json {
		a.printJSON(members)
		return
	}
	a.fact(format, args...)
}

// maxSecret bounds a client secret, in bytes.
const maxSecret = 4096

// readSecret reads one line: hidden on a terminal, else from standard input.
func (a *app) readSecret(ctx context.Context, prompt string) (keychain.Secret, error) {
	var text string
	var err error
	if terminal, ok := a.In.(*os.File); ok && isTerminal(terminal) {
		text, err = a.hidden(ctx, terminal, prompt)
	} else if text, err = bufio.NewReader(io.LimitReader(a.In, maxSecret+2)).ReadString('\n'); errors.Is(err, io.EOF) {
		err = nil
	}
	if err != nil {
		return keychain.Secret{}, fmt.Errorf("the secret cannot be read: %w", err)
	}
	text = strings.TrimRight(text, "\r\n")
	switch {
	case text == "":
		return keychain.Secret{}, usage("the client secret is empty", "give it on standard input, on one line")
	case len(text) > maxSecret:
		return keychain.Secret{}, usage(fmt.Sprintf("the client secret is longer than %d bytes", maxSecret))
	}
	return keychain.NewSecret(text), nil
}

func newProfileList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the profiles",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := a.broker(keychainPatience)
			if err != nil {
				return err
			}
			config, err := b.Config()
			if err != nil {
				return err
			}
			current := ""
			if resolved, err := b.Resolve(a.overrides()); err == nil {
				current = resolved.Name
			}
			a.listProfiles(config, current)
			return nil
		},
	}
}

func (a *app) listProfiles(config broker.Config, current string) {
	if a.json {
		list := []map[string]any{}
		for _, name := range config.ProfileNames() {
			p := config.Profiles[name]
			list = append(list, map[string]any{
				"name": name, "current": name == current, "issuer": p.Issuer, "client_id": p.ClientID, "command": p.Command,
			})
		}
		a.printJSON(map[string]any{"profiles": list})
		return
	}
	if len(config.Profiles) == 0 {
		a.say("There is no profile in the configuration file yet. Make one:")
		a.say("  mcpauth login --issuer URL --client-id ID")
	}
	for _, name := range config.ProfileNames() {
		mark := " "
		if name == current {
			mark = "*"
		}
		a.fact("%s %-20s %s", mark, name, orDash(config.Profiles[name].Issuer))
	}
}

func newProfileShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show [NAME]",
		Short: "Show a profile with all its layers put together, and where each value comes from",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o := a.overrides()
			if len(args) == 1 {
				o.Profile = args[0]
			}
			b, err := a.broker(keychainPatience)
			if err != nil {
				return err
			}
			resolved, err := b.Resolve(o)
			if err != nil {
				return err
			}
			a.showProfile(resolved, b.Paths.ConfigFile)
			return nil
		},
	}
}

func (a *app) showProfile(r broker.Resolved, file string) {
	fields := []struct {
		name  string
		value any
		text  string
	}{
		{"issuer", r.Issuer, r.Issuer},
		{"client_id", r.ClientID, r.ClientID},
		{"provider", r.Provider, r.Provider},
		{"grant", r.Grant, r.Grant},
		{"client_secret", secretWords(r), secretWords(r)},
		{"client_secret_file", r.ClientSecretFile, r.ClientSecretFile},
		{"scopes", r.Scopes, strings.Join(r.Scopes, " ")},
		{"offline_access", r.OfflineAccess, r.OfflineAccess},
		{"redirect_uris", r.RedirectURIs, strings.Join(r.RedirectURIs, " ")},
		{"audience", r.Audience, r.Audience},
		{"resource", r.Resource, r.Resource},
		{"command", r.Command, strings.Join(r.Command, " ")},
		{"cwd", r.Cwd, r.Cwd},
		{"user_context", r.UserContext, r.UserContext},
		{"groups_claim", r.GroupsClaim, r.GroupsClaim},
		{"roles_claim", r.RolesClaim, r.RolesClaim},
		{"idle_limit", r.IdleLimit, r.IdleLimit},
		{"absolute_limit", r.AbsoluteLimit, r.AbsoluteLimit},
	}
	if !r.Secret.IsZero() {
		r.Origin["client_secret"] = broker.OriginEnvironment
	}
	if a.json {
		members := map[string]any{}
		for _, f := range fields {
			if f.text != "" {
				members[f.name] = map[string]any{"value": f.value, "origin": r.Origin[f.name]}
			}
		}
		a.printJSON(map[string]any{"profile": r.Name, "file": file, "in_file": r.Remembered, "bound_to": r.Bound, "fields": members})
		return
	}
	a.fact("%s%s", r.Name, boundWords(r))
	for _, f := range fields {
		if f.text != "" {
			a.fact("  %-18s %s  (%s)", f.name, printable(f.text), orDash(string(r.Origin[f.name])))
		}
	}
	if len(r.RedirectURIs) == 0 {
		a.fact("  %-18s http://127.0.0.1/callback on any free port  (default)", "redirect_uris")
	}
}

// secretWords says where the client secret is, never what it is.
func secretWords(r broker.Resolved) string {
	if !r.Secret.IsZero() {
		return "given by OKTA_CLIENT_SECRET"
	}
	return r.ClientSecret
}

func newProfileUse(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "use NAME",
		Short: "Make a profile the default one",
		Args:  exactlyOneName("use"),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := a.broker(keychainPatience)
			if err != nil {
				return err
			}
			if err := b.UseProfile(c.Context(), args[0]); err != nil {
				return err
			}
			a.done(map[string]any{"default_profile": args[0]}, "✓ The default profile is %s", args[0])
			return nil
		},
	}
}

func newProfileSecret(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "secret NAME",
		Short: "Read the client secret of a profile from standard input into the keychain",
		Args:  exactlyOneName("secret"),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := a.broker(keychainPatience)
			if err != nil {
				return err
			}
			resolved, err := b.Resolve(broker.Overrides{Profile: args[0]})
			if err != nil {
				return err
			}
			secret, err := a.readSecret(c.Context(), "Client secret: ")
			if err != nil {
				return err
			}
			if err := b.SetClientSecret(c.Context(), resolved, secret); err != nil {
				return err
			}
			a.done(map[string]any{"profile": args[0], "stored_in": b.Store.Name()},
				"✓ The client secret of %s is in: %s", args[0], b.Store.Name())
			return nil
		},
	}
}

func newProfileRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Sign a profile out and take it out of the configuration file",
		Args:  exactlyOneName("remove"),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := a.broker(keychainPatience)
			if err != nil {
				return err
			}
			if _, err := b.RemoveProfile(c.Context(), args[0]); err != nil {
				return err
			}
			a.done(map[string]any{"removed": args[0]}, "✓ Profile %s is signed out and removed", args[0])
			return nil
		},
	}
}

func exactlyOneName(verb string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("profile "+verb+" needs one name", "mcpauth profile list")
		}
		return nil
	}
}
