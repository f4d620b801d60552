package accountcmd

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/cmd/console"
)

type logoutOptions struct{ all, everywhere, browser bool }

func NewLogout(a *console.App) *cobra.Command {
	o := &logoutOptions{}
	c := &cobra.Command{
		Use:     "logout",
		Short:   "Revoke the tokens at the provider and delete them here",
		Example: "  mcpauth logout\n  mcpauth logout --profile orders",
		Long: "Tells the provider that the tokens are no longer good and deletes them from the\n" +
			"keychain. They are deleted even if the provider cannot be reached.\n\n" +
			"With --everywhere the provider is asked afterwards whether it still takes them,\n" +
			"and the command fails unless it says no. With --browser your browser is signed\n" +
			"out of the provider as well, which signs you out of its other applications.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runLogout(a, c, o) },
	}
	flags := c.Flags()
	flags.BoolVar(&o.all, "all", false, "all profiles")
	flags.BoolVar(&o.everywhere, "everywhere", false, "make sure that the provider takes the tokens no more")
	flags.BoolVar(&o.browser, "browser", false, "sign the browser out of the provider, too")
	return c
}

func runLogout(a *console.App, c *cobra.Command, o *logoutOptions) error {
	b, err := a.Broker(console.Patience)
	if err != nil {
		return err
	}
	profiles, err := chosenProfiles(a, b, o.all)
	if err != nil {
		return err
	}
	options := broker.LogoutOptions{Prove: o.everywhere}
	if o.browser {
		options.Browser = console.Browser{Env: a.Deps.Env, Talk: a.Err}.Open
	}
	var failed, doubt error // the first of each; one profile's trouble keeps no other signed in
	list := []map[string]any{}
	for _, resolved := range profiles {
		result, err := b.Logout(c.Context(), resolved, options)
		if err != nil {
			failed = cmp.Or(failed, err)
			continue
		}
		list = append(list, reportLogout(a, resolved.Name, result, o))
		doubt = cmp.Or(doubt, unproven(result, o))
	}
	if !a.JSON || failed != nil {
		return cmp.Or(failed, doubt)
	}
	printLogouts(a, list, o.all)
	if doubt != nil {
		a.Exit = problem.Of(doubt).Code // the object says the rest
	}
	return nil
}

func printLogouts(a *console.App, list []map[string]any, all bool) {
	if all {
		a.PrintJSON(map[string]any{"profiles": list})
		return
	}
	a.PrintJSON(list[0])
}

// reportLogout says who was signed out and what the provider was told.
func reportLogout(a *console.App, profile string, result broker.LogoutResult, o *logoutOptions) map[string]any {
	failed := revocationFailure(result)
	if a.JSON {
		members := map[string]any{
			"profile": profile, "was_signed_in": result.User.Sub != "",
			"revoked":          map[string]bool{"refresh_token": result.RefreshToken.Revoked, "access_token": result.AccessToken.Revoked},
			"revocation_error": failed,
		}
		if o.everywhere {
			members["proven"] = map[string]bool{"refresh_token": result.RefreshToken.Proven, "access_token": result.AccessToken.Proven}
		}
		if o.browser {
			members["browser_error"] = words(result.BrowserErr)
		}
		return members
	}
	if result.User.Sub == "" {
		a.Fact("○ Nobody was signed in to %s; nothing is stored here", profile)
		return nil
	}
	a.Fact("✓ Signed %s out of %s; the tokens here are deleted", console.WhoIs(result.User), profile)
	switch {
	case failed != "":
		a.Say("  The provider was not told: %s", console.Printable(failed))
		a.Say("  Its tokens stay good until they run out, unless somebody ends the session there.")
	case o.everywhere:
		a.Fact("  The provider was asked: it takes the tokens no more")
	}
	if result.BrowserErr != nil {
		a.Say("  The browser is still signed in there: %s", console.Printable(result.BrowserErr.Error()))
	}
	return nil
}

// unproven is the problem of a logout that had to be certain and is not.
func unproven(result broker.LogoutResult, o *logoutOptions) error {
	if !o.everywhere {
		return nil
	}
	for _, err := range []error{result.RefreshToken.Err, result.AccessToken.Err} {
		if err == nil {
			continue
		}
		return problem.Of(err)
	}
	return nil
}

func revocationFailure(result broker.LogoutResult) string {
	for _, err := range []error{result.RefreshToken.Err, result.AccessToken.Err} {
		if err != nil {
			return err.Error()
		}
	}
	return ""
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
