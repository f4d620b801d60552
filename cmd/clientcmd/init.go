package clientcmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/cmd/accountcmd"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/table"
	"github.com/mcpauth/mcpauth/keychain"
	"github.com/mcpauth/mcpauth/tui"
)

// initOptions are the flags of init; an empty one is asked for.
type initOptions struct {
	provider, issuer, clientID string
	redirects                  []string
	secretStdin                bool
	cwd                        string
	signIn, noSignIn           bool
	unchecked                  bool
	store                      string
	clients                    []string
	name                       string // of the server in AI clients
}

func NewInit(a *console.App) *cobra.Command {
	o := &initOptions{}
	c := &cobra.Command{
		Use:   "init [flags] [-- COMMAND [ARG...]]",
		Short: "Set up a provider, a server and a first sign-in, step by step",
		Long: "Asks for what is needed and says what to register at the provider, with the text to\n" +
			"paste there. Each question has a flag; without a terminal nothing is asked, and what\n" +
			"is missing is an error that names its flag. Nothing is written before all is known.",
		Example: "  mcpauth init\n" +
			"  mcpauth init --issuer https://example.okta.com --client-id 0oaEXAMPLE --no-sign-in -- python3 /srv/orders/main.py",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 && c.ArgsLenAtDash() != 0 {
				return console.Usage("the server's command stands behind --", "mcpauth init -- python3 main.py")
			}
			if o.signIn && o.noSignIn {
				return console.Usage("--sign-in and --no-sign-in cannot both be meant")
			}
			return (&setup{App: a, o: o, ask: asker(a), profile: config.Profile{Command: args}}).run(c.Context())
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.provider, "provider", "", "kind of provider: "+oneOf(config.ProviderNames()))
	flags.StringVar(&o.issuer, "issuer", "", "issuer URL of the provider")
	flags.StringVar(&o.clientID, "client-id", "", "client_id that the provider gave to the application")
	flags.StringSliceVar(&o.redirects, "redirect-uri", nil, "redirect URI that is registered (repeat: tried in order)")
	flags.BoolVar(&o.secretStdin, "client-secret-stdin", false, "read a client secret from standard input and keep it in the keychain")
	flags.StringVar(&o.cwd, "cwd", "", "folder in which the server is started")
	flags.StringVar(&o.store, "store", "", "where to keep the tokens of all profiles, before the first one: keychain, or age for a file with a passphrase")
	flags.BoolVar(&o.signIn, "sign-in", false, "sign in at the end, without asking")
	flags.BoolVar(&o.noSignIn, "no-sign-in", false, "do not sign in at the end")
	flags.StringSliceVar(&o.clients, "client", nil, "AI client to add the server to (repeat); mcpauth client list names them")
	flags.StringVar(&o.name, "name", "", "name of the server in AI clients (default: what the server calls itself, or the profile's)")
	flags.BoolVar(&o.unchecked, "no-check", false, "do not ask the provider whether the issuer is right")
	console.Must(c.RegisterFlagCompletionFunc("client", completeClients))
	console.Must(c.RegisterFlagCompletionFunc("provider", cobra.FixedCompletions(
		config.ProviderNames(), cobra.ShellCompDirectiveNoFileComp)))
	return c
}

// oneOf spells a choice: a, b or c.
func oneOf(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// asker puts questions to the person at the terminal; nil where there is none.
func asker(a *console.App) broker.Ask {
	switch {
	case a.JSON:
		return nil
	case a.Deps.Ask != nil:
		return a.Deps.Ask(a.In, a.Err)
	}
	return tui.Asker(a.In, a.Err)
}

// setup is one run of init.
type setup struct {
	*console.App
	o          *initOptions
	ask        broker.Ask
	broker     *broker.Broker
	provider   config.Provider
	profile    config.Profile
	name       string
	secret     keychain.Secret
	redirect   []string // to register
	signIn     bool     // at the end
	clients    []string // that were chosen at the terminal
	changes    []clients.Change
	store      string // to put into the file; empty to leave it
	serverName string // what the server calls itself
	kept       bool   // a server is added to a profile that was there before
	again      bool   // the profile exists already, as it should be
}

// run gathers everything first, then writes it in one step. Ctrl+c before that
// leaves nothing; after it, a profile that is whole.
func (s *setup) run(ctx context.Context) error {
	var err error
	if s.broker, err = s.App.Broker(console.Patience); err != nil {
		return err
	}
	if err := s.missing(); err != nil {
		return err
	}
	if err := s.chooseStore(ctx); err != nil {
		return err
	}
	if err := s.chooseProfile(ctx); err != nil {
		return err
	}
	steps := []func(context.Context) error{
		s.chooseProvider, s.chooseIssuer, s.register, s.chooseClient, s.chooseSecret, s.chooseCommand, s.chooseName, s.chooseSignIn, s.chooseClients, s.planClients,
	}
	if s.kept {
		steps = []func(context.Context) error{s.chooseCommand, s.chooseClients, s.planClients}
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if !s.kept {
		if err := s.write(ctx); err != nil {
			return err
		}
	}
	return s.finish(ctx)
}

// write puts the store and the profile into the file. The same init once more
// goes on from here: it may have stopped at a client or at the sign-in.
func (s *setup) write(ctx context.Context) error {
	if s.store != "" {
		if err := config.SetStore(ctx, s.broker.Paths.ConfigFile, s.store); err != nil {
			return err
		}
	}
	verb := "Added profile %s to %s"
	if s.again {
		verb = "Profile %s is in %s already"
		if err := s.keepSecretAgain(ctx); err != nil {
			return err
		}
	} else if err := s.broker.Profiles().Add(ctx, s.name, s.profile, s.secret); err != nil {
		return err
	}
	if !s.JSON {
		s.Fact("✓ "+verb, s.name, console.Printable(s.broker.Paths.ConfigFile))
	}
	return nil
}

func (s *setup) keepSecretAgain(ctx context.Context) error {
	if s.secret.IsZero() {
		return nil
	}
	resolved, err := s.broker.Resolve(config.Overrides{Profile: s.name})
	if err != nil {
		return err
	}
	return s.broker.Profiles().SetSecret(ctx, resolved, s.secret)
}

// chooseProfile asks, on a machine that is set up, whether a server is added to a profile
// that is there, unless the flags say so.
func (s *setup) chooseProfile(ctx context.Context) error {
	file, err := s.broker.Config()
	if err != nil || s.ask == nil || len(file.Profiles) == 0 || s.o.provider+s.o.issuer+s.o.clientID+s.App.Profile != "" {
		return err
	}
	var options []broker.Option
	for _, name := range file.ProfileNames() {
		options = append(options, broker.Option{Value: name, Label: "Add a server to the profile " + name})
	}
	options = append(options, broker.Option{Value: "+", Label: "Sign in at another provider, or as another user"}) // + is no name
	answer, err := s.one(ctx, broker.Query{Title: "mcpauth is set up here. What is next?", Options: options})
	if profile, there := file.Profiles[answer]; there {
		profile.Command, profile.Cwd = s.profile.Command, ""
		s.kept, s.name, s.profile = true, answer, profile
	}
	return err
}

// chooseStore is --store, and tries the store before anything is asked. The file
// names it only when all is known.
func (s *setup) chooseStore(ctx context.Context) (err error) {
	if s.store, err = accountcmd.OtherStore(s.App, s.broker, s.o.store); err != nil {
		return err
	}
	console.PreferStore(s.broker, s.store)
	if !s.o.signIn && !s.o.secretStdin && (s.ask == nil || s.o.noSignIn) {
		return nil
	}
	// Nobody should answer ten questions to hear at the end that there is no keychain.
	if _, err := s.broker.Store.Get(ctx, "init-probe"); !errors.Is(err, keychain.ErrNotFound) {
		return err
	}
	return nil
}

// missing says, where nobody can be asked, all that has to be given.
func (s *setup) missing() error {
	if s.ask != nil {
		return nil
	}
	var flags []string
	if provider, _ := config.ProviderNamed(s.o.provider); s.o.issuer == "" && !provider.OneIssuer {
		flags = append(flags, "--issuer URL")
	}
	if s.o.clientID == "" {
		flags = append(flags, "--client-id ID")
	}
	if len(flags) == 0 {
		return nil
	}
	return console.Usage("nobody can be asked here, and these are missing: "+strings.Join(flags, ", "),
		"mcpauth init --issuer URL --client-id ID --no-sign-in -- COMMAND", "in a terminal, mcpauth init asks for everything")
}

func (s *setup) chooseProvider(ctx context.Context) error {
	if s.o.provider != "" {
		var known bool
		if s.provider, known = config.ProviderNamed(s.o.provider); !known {
			return console.Usage(fmt.Sprintf("--provider must be %s, not %q", oneOf(config.ProviderNames()), s.o.provider))
		}
		return nil
	}
	if s.o.issuer != "" || s.ask == nil {
		s.provider = config.ProviderOf(config.IssuerOf(s.o.issuer))
		return nil
	}
	var options []broker.Option
	for _, p := range config.Providers() {
		options = append(options, broker.Option{Value: p.Name, Label: p.Title})
	}
	answer, err := s.one(ctx, broker.Query{Title: "Where do you sign in?", Options: options})
	s.provider, _ = config.ProviderNamed(answer)
	return err
}

func (s *setup) chooseIssuer(ctx context.Context) error {
	issuer := s.o.issuer
	if issuer == "" && s.provider.OneIssuer {
		issuer = s.provider.IssuerShape
	}
	if issuer != "" {
		return s.tryIssuer(ctx, issuer)
	}
	_, err := s.one(ctx, broker.Query{
		Title: "Issuer", Help: "Looks like " + s.provider.IssuerShape + "; " + s.provider.IssuerHint,
		Check: func(text string) error { return withHint(s.tryIssuer(ctx, strings.TrimSpace(text))) },
	})
	return err
}

// withHint is an error with its first hint, where one line is all that is shown.
func withHint(err error) error {
	if err == nil {
		return nil
	}
	p := problem.Of(err)
	if len(p.Hints) == 0 {
		return err
	}
	return fmt.Errorf("%s; %s", p.Msg, p.Hints[0])
}

// discoveryPatience bounds one look at the provider.
const discoveryPatience = 15 * time.Second

// tryIssuer takes an issuer, if the provider says that it is the one.
func (s *setup) tryIssuer(ctx context.Context, issuer string) error {
	if issuer == "" {
		return fmt.Errorf("type the address of %s, like %s", s.atProvider(), s.provider.IssuerShape)
	}
	issuer = config.IssuerOf(issuer)
	p := s.profile
	p.Issuer, p.Provider, p.RedirectURIs = issuer, s.provider.Preset(issuer), s.o.redirects
	draft, err := s.draft(s.App.Profile, p)
	if err != nil {
		return err
	}
	if !s.o.unchecked {
		ctx, cancel := context.WithTimeout(ctx, discoveryPatience)
		defer cancel()
		if draft.Issuer, err = s.broker.Profiles().CheckIssuer(ctx, draft); err != nil {
			return err
		}
	}
	p.Issuer = draft.Issuer
	s.redirect, err = draft.Redirects()
	s.profile = p
	return err
}

// atProvider names the provider in a sentence.
func (s *setup) atProvider() string { return strings.Replace(s.provider.Title, "another", "your", 1) }

// register shows what to do at the provider.
func (s *setup) register(context.Context) error {
	if s.o.clientID != "" && s.JSON {
		return nil
	}
	s.Say("Register mcpauth at %s:", s.atProvider())
	s.entry("Where", s.provider.Where)
	s.entry("Type", s.provider.Type)
	s.entry("Name", "mcpauth")
	if !s.provider.NoRedirect {
		for i, uri := range s.redirect {
			label := "Redirect URIs"
			if i > 0 {
				label = ""
			}
			s.entry(label, uri)
		}
	}
	for i, step := range s.provider.Steps {
		label := "Also"
		if i > 0 {
			label = ""
		}
		s.entry(label, step)
	}
	s.Say("")
	return nil
}

// entry is a line of what to register, folded where the terminal is narrow.
func (s *setup) entry(label, text string) {
	const indent = 17
	for _, line := range table.Fold(text, console.Columns(s.Err)-indent) {
		s.Say("  %-13s  %s", label, line)
		label = ""
	}
}

func (s *setup) chooseClient(ctx context.Context) (err error) {
	if s.profile.ClientID = s.o.clientID; s.profile.ClientID != "" {
		return nil
	}
	s.profile.ClientID, err = s.one(ctx, broker.Query{
		Title: "Client ID", Help: "The provider shows it when the application is registered",
		Check: func(text string) error {
			if strings.TrimSpace(text) == "" || strings.ContainsAny(text, " \t") {
				return errors.New("a client id is one word")
			}
			return nil
		},
	})
	return err
}

// chooseSecret asks for a secret only where applications on a desktop have one.
func (s *setup) chooseSecret(ctx context.Context) error {
	switch {
	case s.o.secretStdin:
		secret, err := s.ReadSecret(ctx, "Client secret: ")
		s.secret = secret
		return err
	case s.ask == nil || !s.provider.WantsSecret:
		return nil
	}
	text, err := s.one(ctx, broker.Query{Title: "Client secret", Help: "Kept in the keychain; empty if there is none", Secret: true})
	if text != "" {
		s.secret = keychain.NewSecret(text)
	}
	return err
}

func (s *setup) chooseCommand(ctx context.Context) error {
	if len(s.profile.Command) == 0 && s.ask != nil {
		text, err := s.one(ctx, broker.Query{
			Title: "Server command", Help: "The MCP server to put behind the sign-in, like: python3 /srv/orders/main.py. May stay empty",
			Check: s.checkCommand,
		})
		if err != nil {
			return err
		}
		s.profile.Command, _ = splitWords(text) // checked
	}
	if s.o.cwd != "" {
		dir, err := filepath.Abs(s.o.cwd)
		if err != nil {
			return err
		}
		s.profile.Cwd = dir
	}
	if len(s.profile.Command) == 0 {
		return nil
	}
	if s.profile.Cwd == "" && namesFileHere(s.profile.Command) {
		s.profile.Cwd, s.profile.Command = console.WorkingDirectory(), absoluteFiles(s.profile.Command)
	}
	// AI clients have a short PATH.
	if path, err := s.findProgram(s.profile.Command, s.profile.Cwd); err == nil {
		s.profile.Command = slices.Concat([]string{path}, s.profile.Command[1:])
	} else { // it stays: the doctor tells of it
		s.Say("mcpauth: %s", console.Printable(problem.Of(err).Msg))
	}
	s.serverName = tryServer(ctx, s.App, s.profile.Command, s.profile.Cwd, nil)
	return nil
}

// checkCommand lets the user fix a command whose program does not exist.
func (s *setup) checkCommand(text string) error {
	command, err := splitWords(text)
	if err != nil || len(command) == 0 {
		return err
	}
	if _, err := s.findProgram(command, s.o.cwd); err != nil {
		return errors.New(problem.Of(err).Msg)
	}
	return nil
}

// findProgram finds the program of a command as a proxy would.
func (s *setup) findProgram(command []string, dir string) (string, error) {
	return backend.LookUp(backend.Command{Argv: command, Dir: dir, Env: backend.Environ(s.Deps.Environ, nil)})
}

// draft is a profile that is not in the file yet.
func (s *setup) draft(name string, p config.Profile) (config.Resolved, error) {
	file, err := s.broker.Config()
	if err != nil {
		return config.Resolved{}, err
	}
	return file.Draft(name, p)
}

func (s *setup) chooseName(ctx context.Context) error {
	draft, err := s.draft(s.App.Profile, s.profile)
	if err != nil {
		return err
	}
	s.name = draft.Name
	if !draft.Remembered {
		return nil
	}
	if s.again, err = s.sameProfile(); s.again || err != nil {
		return err
	}
	if s.ask == nil || s.App.Profile != "" {
		return console.Usage("there is a profile "+s.name+" already", "choose another name: --profile NAME", "mcpauth profile remove "+s.name)
	}
	s.name, err = s.one(ctx, broker.Query{
		Title: "Name of the profile", Help: s.name + " is there already", Preset: s.name + "-2",
		Check: func(text string) error {
			other, err := s.draft(text, s.profile)
			if err == nil && other.Remembered {
				err = errors.New("there is a profile " + text + " already")
			}
			return err
		},
	})
	return err
}

// sameProfile reports whether the file's profile of this name is what was asked for
// now; what else was put there by hand may stay.
func (s *setup) sameProfile() (bool, error) {
	file, err := s.broker.Config()
	if err != nil {
		return false, err
	}
	there, want := file.Profiles[s.name], s.profile
	return there.Issuer == want.Issuer && there.ClientID == want.ClientID && there.Provider == want.Provider && there.Cwd == want.Cwd &&
		slices.Equal(there.RedirectURIs, want.RedirectURIs) && slices.Equal(there.Command, want.Command) &&
		(s.secret.IsZero() || there.SecretName() != ""), nil
}

// one is a question with one answer.
func (s *setup) one(ctx context.Context, q broker.Query) (string, error) {
	answers, err := s.ask(ctx, q)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(strings.Join(answers, "")), nil
}
