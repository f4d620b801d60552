package accountcmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

type tokenOptions struct {
	atLeast time.Duration
	header  bool
	yes     bool
}

func NewToken(a *console.App) *cobra.Command {
	o := &tokenOptions{}
	c := &cobra.Command{
		Use:   "token",
		Short: "Print an access token, for a script",
		Long: "Prints the access token of the signed-in user, renewed first where too little of\n" +
			"its life is left. Whoever has it is that user until it runs out, so it asks before\n" +
			"it prints to a terminal, and each token is put on record. Exits with 4 when nobody\n" +
			"is signed in.",
		Example: "  curl -H \"$(mcpauth token --header)\" https://api.example.com/orders\n" +
			"  mcpauth token --min-ttl 5m > \"$XDG_RUNTIME_DIR/token\"",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runToken(c.Context(), a, o) },
	}
	flags := c.Flags()
	flags.DurationVar(&o.atLeast, "min-ttl", 0, "renew the token when less than this is left of its life, and less than four fifths")
	flags.BoolVar(&o.header, "header", false, "print it as an HTTP header: Authorization: Bearer …")
	flags.BoolVar(&o.yes, "yes", false, "print to a terminal without asking")
	return c
}

func runToken(ctx context.Context, a *console.App, o *tokenOptions) error {
	if o.atLeast < 0 {
		return console.Usage("--min-ttl must not be negative", "mcpauth token --min-ttl 5m")
	}
	b, resolved, err := a.BrokerAndProfile()
	if err != nil {
		return err
	}
	if err := agreeToShow(ctx, a, resolved.Name, o.yes); err != nil {
		return err
	}
	access, err := b.Token(ctx, resolved, o.atLeast)
	if err != nil {
		return err
	}
	if left := time.Until(access.ExpiresAt); left < o.atLeast {
		a.Say("mcpauth: %s are left of this token's life, less than --min-ttl %s: it is in the first fifth of its life, or cannot be renewed now",
			text.Span(left), o.atLeast)
	}
	printToken(a, resolved.Name, access, o.header)
	return nil
}

// printToken is the one place where a secret leaves mcpauth for any reader of
// its output.
func printToken(a *console.App, profile string, access broker.Access, header bool) {
	token := access.Token.Reveal()
	switch {
	case a.JSON && header:
		a.PrintJSON(map[string]any{"profile": profile, "header": "Authorization: Bearer " + token, "expires_at": access.ExpiresAt.UTC()})
	case a.JSON:
		a.PrintJSON(map[string]any{"profile": profile, "token_type": "Bearer", "access_token": token, "expires_at": access.ExpiresAt.UTC()})
	case header:
		a.Fact("Authorization: Bearer %s", token)
	default:
		a.Fact("%s", token)
	}
}

// agreeToShow asks before a token is printed where people, cameras and the
// terminal's memory read along.
func agreeToShow(ctx context.Context, a *console.App, profile string, yes bool) error {
	if yes || !console.IsTerminal(a.Protocol()) {
		return nil
	}
	refusal := &problem.Problem{
		Msg:   "the token is not shown: this is a terminal, and whoever reads the token is you until it runs out",
		Hints: []string{"mcpauth token --yes", "or use it without showing it: curl -H \"$(mcpauth token --header)\" …"},
		Code:  problem.ExitUsage,
	}
	if a.Agree(ctx, "Show an access token of "+profile+" on this terminal?") {
		return nil
	}
	return refusal
}
