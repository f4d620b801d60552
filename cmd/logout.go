package cmd

import (
	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker/identity"
)

func newLogout(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "Revoke the tokens at the provider and delete them here",
		Long: "Tells the provider that the tokens are no longer good and deletes them from the\n" +
			"keychain. They are deleted even if the provider cannot be reached.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			b, err := a.broker(keychainPatience)
			if err != nil {
				return err
			}
			resolved, err := b.Resolve(a.overrides())
			if err != nil {
				return err
			}
			result, err := b.Logout(c.Context(), resolved)
			if err != nil {
				return err
			}
			return a.reportLogout(resolved.Name, result)
		},
	}
}

// reportLogout says who was signed out and what the provider was told.
func (a *app) reportLogout(profile string, result identity.LogoutResult) error {
	failed := revocationFailure(result)
	if a.json {
		a.printJSON(map[string]any{
			"profile": profile, "was_signed_in": result.User.Sub != "",
			"revoked":          map[string]bool{"refresh_token": result.RefreshToken.Revoked, "access_token": result.AccessToken.Revoked},
			"revocation_error": failed,
		})
		return nil
	}
	if result.User.Sub == "" {
		a.fact("○ Nobody was signed in to %s; nothing is stored here", profile)
		return nil
	}
	a.fact("✓ Signed %s out of %s; the tokens here are deleted", whoIs(result.User), profile)
	if failed != "" {
		a.say("  The provider was not told: %s", printable(failed))
		a.say("  Its tokens stay good until they run out, unless somebody ends the session there.")
	}
	return nil
}

func revocationFailure(result identity.LogoutResult) string {
	for _, err := range []error{result.RefreshToken.Err, result.AccessToken.Err} {
		if err != nil {
			return err.Error()
		}
	}
	return ""
}
