package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

type tokenOptions struct {
	atLeast time.Duration
	header  bool
	yes     bool
}

func newToken(a *app) *cobra.Command {
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
		RunE: func(c *cobra.Command, _ []string) error { return a.token(c.Context(), o) },
	}
	flags := c.Flags()
	flags.DurationVar(&o.atLeast, "min-ttl", 0, "renew the token when less than this is left of its life, and less than four fifths")
	flags.BoolVar(&o.header, "header", false, "print it as an HTTP header: Authorization: Bearer …")
	flags.BoolVar(&o.yes, "yes", false, "print to a terminal without asking")
	return c
}

func (a *app) token(ctx context.Context, o *tokenOptions) error {
	if o.atLeast < 0 {
		return usage("--min-ttl must not be negative", "mcpauth token --min-ttl 5m")
	}
	b, resolved, err := a.brokerAndProfile()
	if err != nil {
		return err
	}
	if err := a.agreeToShow(ctx, resolved.Name, o.yes); err != nil {
		return err
	}
	access, err := b.AccessToken(ctx, resolved, o.atLeast)
	if err != nil {
		return err
	}
	if left := time.Until(access.ExpiresAt); left < o.atLeast {
		a.say("mcpauth: %s are left of this token's life, less than --min-ttl %s: it is in the first fifth of its life, or cannot be renewed now",
			broker.TimeSpan(left), o.atLeast)
	}
	a.printToken(resolved.Name, access, o.header)
	return nil
}

// printToken is the one place where a secret leaves mcpauth for whoever reads
// its output.
func (a *app) printToken(profile string, access broker.Access, header bool) {
	token := access.Token.Reveal()
	switch {
	case a.json && header:
		a.printJSON(map[string]any{"profile": profile, "header": "Authorization: Bearer " + token, "expires_at": access.ExpiresAt.UTC()})
	case a.json:
		a.printJSON(map[string]any{"profile": profile, "token_type": "Bearer", "access_token": token, "expires_at": access.ExpiresAt.UTC()})
	case header:
		a.fact("Authorization: Bearer %s", token)
	default:
		a.fact("%s", token)
	}
}

// agreeToShow asks before a token is printed where people, cameras and the
// terminal's memory read along.
func (a *app) agreeToShow(ctx context.Context, profile string, yes bool) error {
	if yes || !isTerminal(a.protocol()) {
		return nil
	}
	refusal := &broker.Problem{
		Msg:   "the token is not shown: this is a terminal, and whoever reads the token is you until it runs out",
		Hints: []string{"mcpauth token --yes", "or use it without showing it: curl -H \"$(mcpauth token --header)\" …"},
		Code:  broker.ExitUsage,
	}
	if a.agree(ctx, "Show an access token of "+profile+" on this terminal?") {
		return nil
	}
	return refusal
}
