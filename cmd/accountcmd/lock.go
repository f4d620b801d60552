package accountcmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

func NewLock(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:     "lock",
		Short:   "Cut every AI client off until you unlock",
		Example: "  mcpauth lock",
		Long: "Keeps all sign-ins and lets nobody use them: every running proxy refuses calls\n" +
			"within a second, and so does a new one, after a restart of the machine, too.\n" +
			"Undo it with: mcpauth unlock",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := a.Broker(console.Patience)
			if err != nil {
				return err
			}
			if err := b.Lock().Set(); err != nil {
				return err
			}
			a.Done(map[string]any{"locked": true}, "✓ Locked. No AI client can use a sign-in of yours now")
			a.Say("  To go on:  mcpauth unlock")
			return nil
		},
	}
}

func NewUnlock(a *console.App) *cobra.Command {
	o := &unlockOptions{}
	c := &cobra.Command{
		Use:     "unlock",
		Short:   "Sign in anew and let AI clients go on",
		Example: "  mcpauth unlock",
		Long: "Undoes `mcpauth lock` for all profiles, after you have signed in to one of them\n" +
			"anew: the provider has to ask you who you are, whatever your browser remembers.\n" +
			"If you cannot sign in any more, sign out of everything instead: --sign-out.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runUnlock(a, c, o) },
	}
	flags := c.Flags()
	flags.BoolVar(&o.noBrowser, "no-browser", false, "print the link instead of opening it")
	flags.DurationVar(&o.timeout, "timeout", 3*time.Minute, "give up after this time")
	flags.BoolVar(&o.signOut, "sign-out", false, "sign every profile out instead of signing in")
	return c
}

type unlockOptions struct {
	noBrowser bool
	signOut   bool
	timeout   time.Duration
}

func runUnlock(a *console.App, c *cobra.Command, o *unlockOptions) error {
	if o.timeout <= 0 {
		return console.Usage("--timeout must be longer than nothing", "mcpauth unlock --timeout 3m")
	}
	b, err := a.Broker(console.Patience)
	if err != nil {
		return err
	}
	switch {
	case !b.Lock().IsSet():
		a.Done(map[string]any{"locked": false}, "○ mcpauth is not locked; nothing to do")
		return nil
	case o.signOut:
		if err := b.Lock().LiftSignedOut(c.Context()); err != nil {
			return err
		}
		a.Done(map[string]any{"locked": false, "signed_out": true}, "✓ Unlocked, and signed out of everything")
		return nil
	}
	resolved, err := b.Resolve(a.Overrides())
	if err != nil {
		return err
	}
	a.Say("Signing in to %s at %s to unlock", console.Printable(resolved.Name), resolved.Host())
	user, err := b.Lock().Lift(c.Context(), resolved, broker.LoginOptions{UI: LoginUI(a, o.noBrowser, o.timeout), Timeout: o.timeout})
	if err != nil {
		return asTyped(c, "mcpauth unlock --profile "+text.QuoteWord(resolved.Name), err)
	}
	a.Done(map[string]any{"locked": false, "profile": resolved.Name, "user": user}, "✓ Unlocked by %s", console.WhoIs(user))
	return nil
}
