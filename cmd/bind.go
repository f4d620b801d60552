package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

func newProfileBind(a *app) *cobra.Command {
	var list bool
	c := &cobra.Command{
		Use:   "bind DIR --profile NAME",
		Short: "Make a profile the default one in a folder and below it",
		Long: "Commands and proxies that run in DIR or below use this profile, unless a flag or\n" +
			"MCPAUTH_PROFILE names another. The nearest bound folder counts. It is written to\n" +
			"your own state, never to DIR: a repository cannot bind itself.",
		Example: "  mcpauth profile bind . --profile orders\n  mcpauth profile bind --list",
		Args: func(_ *cobra.Command, args []string) error {
			if list != (len(args) == 0) || len(args) > 1 {
				return usage("profile bind needs one folder, or --list", "mcpauth profile bind . --profile NAME")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if list {
				return a.listBindings()
			}
			return a.bind(c.Context(), args[0])
		},
	}
	c.Flags().BoolVar(&list, "list", false, "list the bound folders")
	return c
}

func (a *app) bind(ctx context.Context, dir string) error {
	if a.profile == "" {
		return usage("say which profile: --profile NAME", "mcpauth profile list")
	}
	b, err := a.broker(keychainPatience)
	if err != nil {
		return err
	}
	bound, err := b.Bind(ctx, dir, a.profile)
	if err != nil {
		return err
	}
	a.done(map[string]any{"dir": bound.Dir, "profile": bound.Profile}, "✓ In %s and below, the profile is %s", printable(bound.Dir), bound.Profile)
	return nil
}

func (a *app) listBindings() error {
	b, err := a.broker(keychainPatience)
	if err != nil {
		return err
	}
	all, err := b.Bindings()
	if err != nil {
		return err
	}
	if a.json {
		a.printJSON(map[string]any{"bindings": all})
		return nil
	}
	for _, bound := range all {
		a.fact("%-20s %s", bound.Profile, printable(bound.Dir))
	}
	if len(all) == 0 {
		a.say("No folder is bound:  mcpauth profile bind DIR --profile NAME")
	}
	return nil
}

func newProfileUnbind(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "unbind DIR",
		Short: "Take back a profile bind",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("profile unbind needs one folder", "mcpauth profile bind --list")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			b, err := a.broker(keychainPatience)
			if err != nil {
				return err
			}
			was, err := b.Unbind(c.Context(), args[0])
			if err != nil {
				return err
			}
			a.done(map[string]any{"dir": was.Dir, "profile": was.Profile}, "✓ %s is no longer bound to %s", printable(was.Dir), was.Profile)
			return nil
		},
	}
}

// boundWords tells of the folder that chose a profile, behind its name.
func boundWords(r broker.Resolved) string {
	if r.Bound == "" {
		return ""
	}
	return " (bound to " + printable(r.Bound) + ")"
}
