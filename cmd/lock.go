package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

func newLock(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "lock",
		Short: "Cut every AI client off until you unlock",
		Long: "Keeps all sign-ins and lets nobody use them: every running proxy refuses calls\n" +
			"within a second, and so does a new one, after a restart of the machine, too.\n" +
			"Undo it with: mcpauth unlock",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := a.broker(keychainPatience)
			if err != nil {
				return err
			}
			if err := b.Lock(); err != nil {
				return err
			}
			a.done(map[string]any{"locked": true}, "✓ Locked. No AI client can use a sign-in of yours now")
			a.say("  To go on:  mcpauth unlock")
			return nil
		},
	}
}

func newUnlock(a *app) *cobra.Command {
	o := &unlockOptions{}
	c := &cobra.Command{
		Use:   "unlock",
		Short: "Sign in anew and let AI clients go on",
		Long: "Undoes `mcpauth lock` for all profiles, after you have signed in to one of them\n" +
			"anew: the provider has to ask you who you are, whatever your browser remembers.\n" +
			"Who cannot sign in any more can sign out of everything instead: --sign-out.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.unlock(c, o) },
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

func (a *app) unlock(c *cobra.Command, o *unlockOptions) error {
	if o.timeout <= 0 {
		return usage("--timeout must be longer than nothing", "mcpauth unlock --timeout 3m")
	}
	b, err := a.broker(keychainPatience)
	if err != nil {
		return err
	}
	switch {
	case !b.Locked():
		a.done(map[string]any{"locked": false}, "○ mcpauth is not locked; nothing to do")
		return nil
	case o.signOut:
		if err := b.SignOutAndUnlock(c.Context()); err != nil {
			return err
		}
		a.done(map[string]any{"locked": false, "signed_out": true}, "✓ Unlocked, and signed out of everything")
		return nil
	}
	resolved, err := b.Resolve(a.overrides())
	if err != nil {
		return err
	}
	a.say("Signing in to %s at %s to unlock", printable(resolved.Name), resolved.Host())
	user, err := b.Unlock(c.Context(), resolved, broker.LoginOptions{UI: a.loginUI(o.noBrowser, o.timeout), Timeout: o.timeout})
	if err != nil {
		return err
	}
	a.done(map[string]any{"locked": false, "profile": resolved.Name, "user": user}, "✓ Unlocked by %s", whoIs(user))
	return nil
}
