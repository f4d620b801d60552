package accountcmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

func NewStatus(a *console.App) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:     "status",
		Short:   "Who is signed in, where the tokens are, until when",
		Example: "  mcpauth status\n  mcpauth status --all --json",
		Long: "Tells of the current profile, or of all, from what is stored here; the provider\n" +
			"is not asked. Exits with 4 when a profile that was asked for is not signed in.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runStatus(c.Context(), a, all) },
	}
	c.Flags().BoolVar(&all, "all", false, "all profiles")
	return c
}

// profileStatus is one profile of `status --json`.
type profileStatus struct {
	Profile     string       `json:"profile"`
	State       string       `json:"state"` // signed_in, signed_out, troubled
	Reason      string       `json:"reason,omitempty"`
	Locked      bool         `json:"locked,omitempty"` // by mcpauth lock
	Issuer      string       `json:"issuer"`
	ClientID    string       `json:"client_id"`
	User        *broker.User `json:"user,omitempty"`
	Scopes      []string     `json:"scopes"`
	StoredIn    string       `json:"stored_in"`
	StoreReason string       `json:"store_reason"` // why it is the store in use
	SignedInAt  *time.Time   `json:"signed_in_at,omitempty"`
	ObtainedAt  *time.Time   `json:"obtained_at,omitempty"`
	ExpiresAt   *time.Time   `json:"expires_at,omitempty"` // of the access token
	EndsAt      *time.Time   `json:"ends_at,omitempty"`    // of the sign-in, by a limit of the profile
	ACR         string       `json:"acr,omitempty"`        // how the person signed in, in the provider's words
	Refreshable bool         `json:"refreshable"`

	expired bool // the access token is over, and a proxy will renew it
}

func runStatus(ctx context.Context, a *console.App, all bool) error {
	b, err := a.Broker(console.Patience)
	if err != nil {
		return err
	}
	profiles, err := chosenProfiles(a, b, all)
	if err != nil {
		return err
	}
	list := make([]profileStatus, 0, len(profiles))
	var failed error
	for _, resolved := range profiles {
		status, err := b.Status(ctx, resolved)
		if err != nil && failed == nil {
			failed = err
		}
		one := describe(resolved, status)
		one.StoreReason = whyStore(a, b)
		list = append(list, one)
	}
	if failed == nil {
		a.Exit = statusExit(list)
	}
	if a.JSON {
		a.PrintJSON(map[string]any{"profiles": list})
	} else {
		for _, one := range list {
			printStatus(a, one)
		}
	}
	if failed != nil && a.JSON {
		a.Exit = problem.Of(failed).Code // the object says the rest
		return nil
	}
	return failed
}

// chosen is the profile that is meant, or all of them.
func chosenProfiles(a *console.App, b *broker.Broker, all bool) ([]config.Resolved, error) {
	if !all {
		resolved, err := b.Resolve(a.Overrides())
		return []config.Resolved{resolved}, err
	}
	file, err := b.Config()
	if err != nil {
		return nil, err
	}
	var profiles []config.Resolved
	for _, name := range file.ProfileNames() {
		resolved, err := file.Resolve(config.Overrides{Profile: name}, a.Deps.Env)
		if err != nil {
			return nil, err
		}
		profiles = append(profiles, resolved)
	}
	return profiles, nil
}

func statusExit(list []profileStatus) int {
	for _, one := range list {
		if one.State == "signed_out" {
			return problem.ExitSignInNeeded
		}
	}
	return problem.ExitOK
}

func describe(r config.Resolved, s broker.SignInStatus) profileStatus {
	one := profileStatus{
		Profile: r.Name, Issuer: r.Issuer, ClientID: r.ClientID, Scopes: []string{},
		StoredIn: s.StoredIn, Refreshable: s.HasRefreshToken, ACR: s.ACR,
	}
	switch s.State {
	case broker.SignedIn:
		one.State = "signed_in"
	case broker.Degraded:
		one.State = "troubled"
	default:
		one.State = "signed_out"
	}
	one.expired = broker.IsExpired(s.Err)
	one.Locked = broker.IsLocked(s.Err)
	if s.Err != nil {
		one.Reason = problem.Of(s.Err).Msg
	}
	if s.User.Sub != "" {
		one.User, one.Scopes = &s.User, s.User.Scopes
	}
	for _, moment := range []struct {
		to   **time.Time
		from time.Time
	}{{&one.SignedInAt, s.SignedInAt}, {&one.ObtainedAt, s.ObtainedAt}, {&one.ExpiresAt, s.ExpiresAt}, {&one.EndsAt, s.EndsAt}} {
		if !moment.from.IsZero() {
			utc := moment.from.UTC()
			*moment.to = &utc
		}
	}
	return one
}

func printStatus(a *console.App, s profileStatus) {
	row := func(label, text string) {
		if text != "" {
			a.Fact("  %-10s %s", label, console.Printable(text))
		}
	}
	switch {
	case s.State == "signed_in":
		a.Fact("● %s: signed in as %s", a.Name(s.Profile), console.WhoIs(*s.User))
	case s.expired && s.User != nil:
		a.Fact("● %s: signed in as %s; the access token is renewed at its next use", a.Name(s.Profile), console.WhoIs(*s.User))
	case s.State == "troubled":
		a.Fact("! %s: %s", a.Name(s.Profile), console.Printable(s.Reason))
	case s.Locked:
		a.Fact("○ %s: locked", a.Name(s.Profile))
		row("Why", s.Reason)
	default:
		a.Fact("○ %s: not signed in", a.Name(s.Profile))
		row("Why", s.Reason)
	}
	if s.User != nil {
		row("User", named(*s.User))
		row("Groups", few(s.User.Groups))
		row("Roles", few(s.User.Roles))
		for _, warning := range s.User.Warnings {
			row("Note", warning)
		}
		row("Scopes", strings.Join(s.Scopes, " "))
	}
	row("Issuer", s.Issuer)
	row("Client", s.ClientID)
	now := time.Now()
	if s.ExpiresAt != nil && !s.Locked {
		row("Access", access(s, now))
	}
	if s.SignedInAt != nil {
		row("Signed in", text.Moment(*s.SignedInAt, now))
	}
	row("Proof", s.ACR)
	if s.EndsAt != nil && s.State != "signed_out" {
		row("Limit", "ends "+text.Moment(*s.EndsAt, now)+" by the profile's limits; a call before that moves an idle limit")
	}
	row("Stored in", s.StoredIn+"  ("+s.StoreReason+")")
	if s.State == "signed_out" {
		a.Say("%s", signInHint(s))
	}
}

// manyNames are more than anybody reads.
const manyNames = 12

// few are the first names of a list that may be of hundreds.
func few(names []string) string {
	if len(names) <= manyNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, and %d more (all: mcpauth status --json)", strings.Join(names[:manyNames], ", "), len(names)-manyNames)
}

// signInHint says what lets a signed-out person in.
func signInHint(s profileStatus) string {
	if s.Locked {
		return "Unlock with:  mcpauth unlock"
	}
	return "Sign in with:  mcpauth login --profile " + s.Profile
}

func named(user broker.User) string {
	if user.Name == "" {
		return user.Sub
	}
	return user.Name + " (" + user.Sub + ")"
}

// access says how long the access token lives and what happens then.
func access(s profileStatus, now time.Time) string {
	left := s.ExpiresAt.Sub(now)
	switch {
	case left <= 0 && s.Refreshable:
		return "over; renewed when it is needed"
	case left <= 0:
		return "over"
	case s.Refreshable:
		return "until " + text.Moment(*s.ExpiresAt, now) + " (" + text.Span(left) + "), renews itself"
	}
	return "until " + text.Moment(*s.ExpiresAt, now) + " (" + text.Span(left) + "), then sign in again"
}
