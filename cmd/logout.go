package cmd

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

type logoutOptions struct{ all, everywhere, browser bool }

func newLogout(a *app) *cobra.Command {
	o := &logoutOptions{}
	c := &cobra.Command{
		Use:   "logout",
		Short: "Revoke the tokens at the provider and delete them here",
		Long: "Tells the provider that the tokens are no longer good and deletes them from the\n" +
			"keychain. They are deleted even if the provider cannot be reached.\n\n" +
			"With --everywhere the provider is asked afterwards whether it still takes them,\n" +
			"and the command fails unless it says no. With --browser your browser is signed\n" +
			"out of the provider as well, which signs you out of its other applications.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.logout(c, o) },
	}
	flags := c.Flags()
	flags.BoolVar(&o.all, "all", false, "all profiles")
	flags.BoolVar(&o.everywhere, "everywhere", false, "make sure that the provider takes the tokens no more")
	flags.BoolVar(&o.browser, "browser", false, "sign the browser out of the provider, too")
	return c
}

func (a *app) logout(c *cobra.Command, o *logoutOptions) error {
	b, err := a.broker(keychainPatience)
	if err != nil {
		return err
	}
	profiles, err := a.chosen(b, o.all)
	if err != nil {
		return err
	}
	options := broker.LogoutOptions{Prove: o.everywhere}
	if o.browser {
		options.Browser = browser{env: a.deps.Env, talk: a.Err}.open
	}
	var problem, doubt error // the first of each; one profile's trouble keeps no other signed in
	list := []map[string]any{}
	for _, resolved := range profiles {
		result, err := b.LogoutWith(c.Context(), resolved, options)
		if err != nil {
			problem = cmp.Or(problem, err)
			continue
		}
		list = append(list, a.reportLogout(resolved.Name, result, o))
		doubt = cmp.Or(doubt, unproven(result, o))
	}
	if !a.json || problem != nil {
		return cmp.Or(problem, doubt)
	}
	a.printLogouts(list, o.all)
	if doubt != nil {
		a.exit = broker.AsProblem(doubt).Code // the object says the rest
	}
	return nil
}

func (a *app) printLogouts(list []map[string]any, all bool) {
	if all {
		a.printJSON(map[string]any{"profiles": list})
		return
	}
	a.printJSON(list[0])
}

// reportLogout says who was signed out and what the provider was told.
func (a *app) reportLogout(profile string, result broker.LogoutResult, o *logoutOptions) map[string]any {
	failed := revocationFailure(result)
	if a.json {
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
		a.fact("○ Nobody was signed in to %s; nothing is stored here", profile)
		return nil
	}
	a.fact("✓ Signed %s out of %s; the tokens here are deleted", whoIs(result.User), profile)
	switch {
	case failed != "":
		a.say("  The provider was not told: %s", printable(failed))
		a.say("  Its tokens stay good until they run out, unless somebody ends the session there.")
	case o.everywhere:
		a.fact("  The provider was asked: it takes the tokens no more")
	}
	if result.BrowserErr != nil {
		a.say("  The browser is still signed in there: %s", printable(result.BrowserErr.Error()))
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
		return broker.AsProblem(err)
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
