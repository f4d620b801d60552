package accountcmd

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/keychain"
)

func NewProfile(a *console.App) *cobra.Command {
	c := &cobra.Command{
		Use:     "profile",
		Short:   "The accounts and servers that mcpauth knows",
		Example: "  mcpauth profile list\n  mcpauth profile use orders",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newProfileAdd(a), newProfileList(a), newProfileShow(a), newProfileUse(a), newProfileSecret(a), newProfileRemove(a))
	return c
}

type addOptions struct {
	overrides   config.Overrides
	secretStdin bool
	trustEmail  bool
}

func newProfileAdd(a *console.App) *cobra.Command {
	o := &addOptions{}
	c := &cobra.Command{
		Use:     "add NAME --issuer URL --client-id ID [flags] [-- COMMAND [ARG...]]",
		Short:   "Add a profile to the configuration file",
		Example: "  mcpauth profile add orders --issuer https://login.example.com --client-id orders-desktop -- python3 main.py",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return console.Usage("profile add needs a name", "mcpauth profile add NAME --issuer URL --client-id ID")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 && c.ArgsLenAtDash() != 1 {
				return console.Usage("the command of a profile stands behind --", "mcpauth profile add "+args[0]+" … -- COMMAND")
			}
			if c.Flags().Changed("trust-email") {
				o.overrides.TrustEmail = &o.trustEmail
			}
			return addProfile(c.Context(), a, args[0], args[1:], o)
		},
	}
	clientFlags(c, &o.overrides)
	flags := c.Flags()
	flags.StringSliceVar(&o.overrides.Scopes, "scope", nil, "scopes to ask for (repeat, or separate by commas)")
	flags.StringVar(&o.overrides.Cwd, "cwd", "", "folder in which the command is started")
	flags.StringVar(&o.overrides.UserContext, "user-context", "", "auto, always or never")
	flags.StringVar(&o.overrides.GroupsClaim, "groups-claim", "", "claim that holds the groups; a dot leads into an object")
	flags.StringVar(&o.overrides.RolesClaim, "roles-claim", "", "claim that holds the roles")
	flags.StringVar(&o.overrides.MetadataURL, "metadata-url", "", "where the provider's metadata is, when it is not below the issuer")
	flags.BoolVar(&o.trustEmail, "trust-email", false, "let every e-mail address of this provider count for rules, verified or not")
	flags.StringVar(&o.overrides.IdleLimit, "idle-limit", "", "end a sign-in after this time without a call (like 30m)")
	flags.StringVar(&o.overrides.AbsoluteLimit, "absolute-limit", "", "end a sign-in this time after it began (like 12h or 7d)")
	flags.StringVar(&o.overrides.Grant, "grant", "", "authorization_code, or client_credentials for a machine")
	flags.StringVar(&o.overrides.ClientSecretFile, "client-secret-file", "", "file that holds the client secret alone, and that nobody else can read")
	flags.BoolVar(&o.secretStdin, "client-secret-stdin", false, "read the client secret from standard input and keep it in the keychain")
	return c
}

func addProfile(ctx context.Context, a *console.App, name string, command []string, o *addOptions) error {
	f := o.overrides
	if f.Issuer == "" || f.ClientID == "" {
		return console.Usage("a profile needs an issuer and a client_id", "mcpauth profile add "+name+" --issuer URL --client-id ID")
	}
	b, err := a.Broker(console.Patience)
	if err != nil {
		return err
	}
	var secret keychain.Secret
	if o.secretStdin {
		if secret, err = a.ReadSecret(ctx, "Client secret: "); err != nil {
			return err
		}
	}
	err = b.Profiles().Add(ctx, name, config.Profile{
		Issuer: config.IssuerOf(f.Issuer), ClientID: f.ClientID, Scopes: f.Scopes, RedirectURIs: f.RedirectURIs,
		Audience: f.Audience, Resource: f.Resource, Provider: config.KindOf(f.Provider, f.Issuer),
		Command: command, Cwd: f.Cwd, UserContext: f.UserContext,
		GroupsClaim: f.GroupsClaim, RolesClaim: f.RolesClaim, TrustEmail: f.TrustEmail, MetadataURL: f.MetadataURL,
		Grant: f.Grant, ClientSecretFile: f.ClientSecretFile, IdleLimit: f.IdleLimit, AbsoluteLimit: f.AbsoluteLimit,
		CAFile: f.CAFile, Proxy: f.Proxy,
	}, secret)
	if err != nil {
		return err
	}
	a.Done(map[string]any{"profile": name, "file": b.Paths.ConfigFile}, "✓ Added profile %s to %s", name, b.Paths.ConfigFile)
	a.Say("  Sign in with:  mcpauth login --profile %s", name)
	return nil
}

func newProfileList(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the profiles",
		Example: "  mcpauth profile list",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			b, err := a.Broker(console.Patience)
			if err != nil {
				return err
			}
			file, err := b.Config()
			if err != nil {
				return err
			}
			current := ""
			if resolved, err := b.Resolve(a.Overrides()); err == nil {
				current = resolved.Name
			}
			listProfiles(c.Context(), a, b, file, current)
			return nil
		},
	}
}

func listProfiles(ctx context.Context, a *console.App, b *broker.Broker, file config.File, current string) {
	if a.JSON {
		list := []map[string]any{}
		for _, name := range file.ProfileNames() {
			p, s := file.Profiles[name], profileState(ctx, b, name)
			list = append(list, map[string]any{
				"name": name, "current": name == current, "issuer": p.Issuer, "client_id": p.ClientID, "command": p.Command,
				"state": s.State, "expires_at": s.ExpiresAt, "ends_at": s.EndsAt,
			})
		}
		a.PrintJSON(map[string]any{"profiles": list})
		return
	}
	if len(file.Profiles) == 0 {
		a.Say("There is no profile in the configuration file yet. Make one:")
		a.Say("  mcpauth login --issuer URL --client-id ID")
	}
	for _, name := range file.ProfileNames() {
		mark := " "
		if name == current {
			mark = "*"
		}
		state := shortState(profileState(ctx, b, name), time.Now())
		a.Fact("%s %-20s %-36s %s", mark, name, console.OrDash(file.Profiles[name].Issuer), console.Printable(state))
	}
}

// profileState is what `status` tells of a profile of the file.
func profileState(ctx context.Context, b *broker.Broker, name string) profileStatus {
	r, err := b.Resolve(config.Overrides{Profile: name})
	if err != nil {
		return profileStatus{State: "troubled", Reason: problem.Of(err).Msg}
	}
	status, _ := b.Status(ctx, r) // its error is the state, too
	return describe(r, status)
}

// shortState is the state of a profile and the time that is left, in a few words.
func shortState(s profileStatus, now time.Time) string {
	switch {
	case s.State == "troubled" && !s.expired:
		return "! " + s.Reason
	case s.Locked:
		return "locked"
	case s.State == "signed_out" || s.User == nil:
		return "signed out"
	}
	who := "signed in as " + console.WhoIs(*s.User)
	switch {
	case s.EndsAt != nil:
		return who + ", ends " + text.Moment(*s.EndsAt, now)
	case s.ExpiresAt == nil:
		return who
	}
	return who + ", " + access(s, now)
}

func newProfileShow(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:     "show [NAME]",
		Short:   "Show a profile with all its layers put together, and where each value comes from",
		Example: "  mcpauth profile show orders",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o := a.Overrides()
			if len(args) == 1 {
				o.Profile = args[0]
			}
			b, err := a.Broker(console.Patience)
			if err != nil {
				return err
			}
			resolved, err := b.Resolve(o)
			if err != nil {
				return err
			}
			showProfile(a, resolved, b.Paths.ConfigFile)
			return nil
		},
	}
}

func showProfile(a *console.App, r config.Resolved, file string) {
	fields := []struct {
		name  string
		value any
		text  string
	}{
		{"issuer", r.Issuer, r.Issuer},
		{"metadata_url", r.MetadataURL, r.MetadataURL},
		{"client_id", r.ClientID, r.ClientID},
		{"provider", r.Provider, r.Provider},
		{"grant", r.Grant, r.Grant},
		{"client_secret", secretText(r), secretText(r)},
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
		{"trust_email", r.TrustEmail, config.SwitchText(r.TrustEmail)},
		{"idle_limit", r.IdleLimit, r.IdleLimit},
		{"absolute_limit", r.AbsoluteLimit, r.AbsoluteLimit},
		{"ca_file", r.CAFile, r.CAFile},
		{"proxy", r.Proxy, r.Proxy},
	}
	if !r.Secret.IsZero() {
		r.Origin["client_secret"] = config.OriginEnvironment
	}
	if a.JSON {
		members := map[string]any{}
		for _, f := range fields {
			if f.text != "" {
				members[f.name] = map[string]any{"value": f.value, "origin": r.Origin[f.name]}
			}
		}
		a.PrintJSON(map[string]any{"profile": r.Name, "file": file, "in_file": r.Remembered, "fields": members})
		return
	}
	a.Fact("%s", r.Name)
	for _, f := range fields {
		if f.text != "" {
			a.Fact("  %-18s %s  (%s)", f.name, console.Printable(f.text), console.OrDash(string(r.Origin[f.name])))
		}
	}
	if len(r.RedirectURIs) == 0 {
		a.Fact("  %-18s http://127.0.0.1/callback on any free port  (default)", "redirect_uris")
	}
}

// secretWords says where the client secret is, never what it is.
func secretText(r config.Resolved) string {
	if !r.Secret.IsZero() {
		return "given by OKTA_CLIENT_SECRET"
	}
	return r.ClientSecret
}

func newProfileUse(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:     "use NAME",
		Short:   "Make a profile the default one",
		Example: "  mcpauth profile use orders",
		Args:    exactlyOneName("use"),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := a.Broker(console.Patience)
			if err != nil {
				return err
			}
			if err := b.Profiles().SetDefault(c.Context(), args[0]); err != nil {
				return err
			}
			a.Done(map[string]any{"default_profile": args[0]}, "✓ The default profile is %s", args[0])
			return nil
		},
	}
}

func newProfileSecret(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:     "secret NAME",
		Short:   "Read the client secret of a profile from standard input into the keychain",
		Example: "  mcpauth profile secret orders < secret.txt",
		Args:    exactlyOneName("secret"),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := a.Broker(console.Patience)
			if err != nil {
				return err
			}
			resolved, err := b.Resolve(config.Overrides{Profile: args[0]})
			if err != nil {
				return err
			}
			secret, err := a.ReadSecret(c.Context(), "Client secret: ")
			if err != nil {
				return err
			}
			if err := b.Profiles().SetSecret(c.Context(), resolved, secret); err != nil {
				return err
			}
			a.Done(map[string]any{"profile": args[0], "stored_in": b.Store.Name()},
				"✓ The client secret of %s is in: %s", args[0], b.Store.Name())
			return nil
		},
	}
}

func newProfileRemove(a *console.App) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "remove NAME",
		Short: "Sign a profile out and take it out of the configuration file",
		Long: "Signs the profile out at the provider and removes it from the configuration file. At a\n" +
			"terminal it asks first, and names the AI clients that use the profile.",
		Example: "  mcpauth profile remove staging",
		Args:    exactlyOneName("remove"),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := a.Broker(console.Patience)
			if err != nil {
				return err
			}
			return removeProfile(c.Context(), a, b, args[0], yes)
		},
	}
	c.Flags().BoolVarP(&yes, "yes", "y", false, "remove without asking")
	return c
}

func removeProfile(ctx context.Context, a *console.App, b *broker.Broker, name string, yes bool) error {
	file, err := b.Config()
	if err != nil {
		return err
	}
	uses := b.Profiles().Uses(name)
	if _, there := file.Profiles[name]; there && !yes && console.IsTerminal(a.In) {
		for _, use := range uses {
			a.Say("%s starts this profile and will stop working", console.Printable(use.String()))
		}
		if !a.Agree(ctx, "Sign out of "+name+" and remove it?") {
			a.Say("%s stays as it is", name)
			return ctx.Err()
		}
	}
	if _, err := b.Profiles().Remove(ctx, name); err != nil {
		return err
	}
	a.Done(map[string]any{"removed": name}, "✓ Profile %s is signed out and removed", name)
	for _, use := range uses {
		a.Say("  %s still starts it; remove the entry with:", console.Printable(use.String()))
		a.Say("  %s", console.Printable(use.RemoveCommand()))
	}
	return nil
}

func exactlyOneName(verb string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return console.Usage("profile "+verb+" needs one name", "mcpauth profile list")
		}
		return nil
	}
}
