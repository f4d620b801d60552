package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// helpGroups are the headings of `mcpauth help`, with their commands.
var helpGroups = []struct {
	id, title string
	commands  []string
}{
	{"start", "Start here:", []string{"init", "login", "client", "demo"}},
	{"use", "Use:", []string{"proxy", "tui", "tools", "resources", "prompts", "server", "token"}},
	{"look", "Look:", []string{"status", "doctor", "audit", "stats"}},
	{"govern", "Govern:", []string{"policy", "why", "profile", "store", "lock", "unlock", "logout"}},
}

// arrangeHelp groups the commands of root, adds the topics, and has the root say where the
// user stands.
func arrangeHelp(a *console.App, root *cobra.Command) {
	for _, group := range helpGroups {
		root.AddGroup(&cobra.Group{ID: group.id, Title: group.title})
		for _, c := range root.Commands() {
			if slices.Contains(group.commands, c.Name()) {
				c.GroupID = group.id
			}
		}
	}
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Example = "  mcpauth help client add\n  mcpauth help environment"
			c.RunE = func(c *cobra.Command, args []string) error { return helpOn(a, c, args) }
		case "completion":
			everyCommand(c, func(c *cobra.Command) { c.Example = completionExample(c) })
		}
	}
	root.AddCommand(helpTopics()...)
	version := root.RunE
	root.RunE = func(c *cobra.Command, args []string) error {
		if wanted, err := c.Flags().GetBool("version"); err == nil && wanted {
			return version(c, args)
		}
		return standing(c, a)
	}
}

func completionExample(c *cobra.Command) string {
	if c.HasSubCommands() {
		return "  mcpauth completion bash"
	}
	return "  " + c.CommandPath() + " > mcpauth." + c.Name()
}

// helpOn is `mcpauth help COMMAND`. Cobra's own ends well where there is no such command.
func helpOn(a *console.App, c *cobra.Command, args []string) error {
	on, rest, err := c.Root().Find(args)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("unknown command %q for %q", rest[0], on.CommandPath())
	}
	if err != nil {
		return a.Misused(on, err)
	}
	on.InitDefaultHelpFlag() // so that it is among the flags
	return on.Help()
}

// standing is `mcpauth` alone: what the state is, the command that comes next, and the
// commands that there are.
func standing(c *cobra.Command, a *console.App) error {
	state, next := whatIsNext(c.Context(), a)
	if a.JSON {
		a.PrintJSON(map[string]any{"state": state, "next": next})
		return nil
	}
	a.Fact("%s\nNext:  %s\n", console.Printable(state), console.Printable(next))
	return c.Help()
}

// whatIsNext says in a sentence how things are here, and which command comes next. It
// waits for no user: the keychain gets as long as a proxy gives it.
func whatIsNext(ctx context.Context, a *console.App) (state, next string) {
	b, err := a.Broker(console.PatienceProxy)
	if err != nil {
		return problem.Of(err).Msg, "mcpauth doctor"
	}
	switch file, err := b.Config(); {
	case err != nil:
		return problem.Of(err).Msg, "mcpauth doctor"
	case len(file.ProfileNames()) == 0:
		return "Not set up yet.", "mcpauth init   (or see it work first: mcpauth demo)"
	}
	r, err := b.Resolve(a.Overrides())
	if err != nil {
		return problem.Of(err).Msg, "mcpauth profile list"
	}
	s, err := b.Status(ctx, r)
	if err != nil {
		return problem.Of(err).Msg, "mcpauth doctor"
	}
	return signedInOrNot(r, s)
}

func signedInOrNot(r config.Resolved, s broker.SignInStatus) (state, next string) {
	switch {
	case broker.IsLocked(s.Err):
		return "Locked: no AI client can use profile " + r.Name + ".", "mcpauth unlock"
	case s.State == broker.SignedIn, broker.IsExpired(s.Err):
		state = "Signed in to " + r.Name + " as " + console.WhoIs(s.User) + "."
		if len(r.Command) == 0 {
			return state, "mcpauth client add   (gives a server to your AI clients)"
		}
		return state, "mcpauth tui   (or: mcpauth tools list)"
	case s.State == broker.Degraded:
		return "Profile " + r.Name + ": " + problem.Of(s.Err).Msg + ".", "mcpauth doctor"
	}
	return "Not signed in to " + r.Name + ".", "mcpauth login --profile " + r.Name
}

// helpTopic is a page of `mcpauth help` that is about no command.
type helpTopic struct {
	name, short, intro string
	rows               [][2]string
	page               string // of docs, which has the same rows
}

var topics = []helpTopic{
	{"environment", "The environment variables that mcpauth reads",
		"A flag is stronger than a variable, and a variable is stronger than the profile.\n" +
			"AI clients start servers with hardly any environment: what must hold there belongs in\n" +
			"the profile. `mcpauth profile show` tells where each value comes from.",
		[][2]string{
			{"MCPAUTH_CONFIG", "another configuration file"},
			{"MCPAUTH_PROFILE", "the profile to use"},
			{"MCPAUTH_ISSUER", "issuer URL"},
			{"MCPAUTH_CLIENT_ID", "client_id"},
			{"MCPAUTH_SCOPES", "scopes, with spaces between them"},
			{"MCPAUTH_REDIRECT_URI", "redirect URI"},
			{"MCPAUTH_AUDIENCE", "audience"},
			{"MCPAUTH_RESOURCE", "resource (RFC 8707)"},
			{"BROWSER", "the command that opens a page"},
			{"HTTPS_PROXY", "the proxy to the provider, in a terminal"},
			{"NO_PROXY", "hosts that are reached without that proxy"},
			{"SSL_CERT_FILE", "certificates to trust, in a terminal"},
			{"SSL_CERT_DIR", "the same, a folder of them"},
			{"NO_COLOR", "set to anything: no colours"},
		}, "configuration.md"},
	{"exit-codes", "The exit codes of mcpauth", "`mcpauth proxy` ends with the code of its server.",
		[][2]string{
			{"0", "done"},
			{"1", "any other error"},
			{"2", "wrong use, or a profile that does not exist"},
			{"3", "the provider or the server cannot be reached"},
			{"4", "a sign-in is needed, or it was refused or not finished"},
			{"5", "denied by policy"},
			{"6", "the tool answered with an error"},
			{"7", "the keychain is missing, locked or does not answer"},
			{"8", "the doctor found problems"},
			{"130", "stopped by ctrl+c"},
		}, "exit-codes.md"},
	{"files", "The files that mcpauth writes", "No file holds a token: those are in the keychain. On Windows all of these are in\n" +
		"%USERPROFILE%\\.mcpauth.",
		[][2]string{
			{"~/.config/mcpauth/config.toml", "profiles"},
			{"~/.local/state/mcpauth/audit/", "the audit log"},
			{"~/.local/state/mcpauth/audit.key", "key of the hashes of arguments in the audit log"},
			{"~/.local/state/mcpauth/lists/", "the last known tools of each profile and server"},
			{"~/.local/state/mcpauth/pins/", "approved definitions of tools"},
			{"~/.local/state/mcpauth/limits/", "what is used up of a profile's limits"},
		}, "architecture.md"},
}

// helpTopics are the topics as cobra wants them: commands that do nothing.
func helpTopics() (list []*cobra.Command) {
	for _, topic := range topics {
		width := 0
		for _, row := range topic.rows {
			width = max(width, len(row[0]))
		}
		var page strings.Builder
		page.WriteString(topic.intro + "\n")
		for _, row := range topic.rows {
			fmt.Fprintf(&page, "\n  %-*s  %s", width, row[0], row[1])
		}
		list = append(list, &cobra.Command{Use: topic.name, Short: topic.short, Long: page.String()})
	}
	return list
}
