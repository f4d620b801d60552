package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

func newStatus(a *app) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Who is signed in, where the tokens are, until when",
		Long: "Tells of the current profile, or of all, from what is stored here; the provider\n" +
			"is not asked. Exits with 4 when a profile that was asked for is not signed in.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.status(c.Context(), all) },
	}
	c.Flags().BoolVar(&all, "all", false, "all profiles")
	return c
}

// profileStatus is one profile of `status --json`.
type profileStatus struct {
	Profile     string       `json:"profile"`
	State       string       `json:"state"` // signed_in, signed_out, troubled
	Reason      string       `json:"reason,omitempty"`
	Locked      bool         `json:"locked,omitempty"`   // by mcpauth lock
	Bound       string       `json:"bound_to,omitempty"` // the folder whose binding chose the profile
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

func (a *app) status(ctx context.Context, all bool) error {
	b, err := a.broker(keychainPatience)
	if err != nil {
		return err
	}
	profiles, err := a.chosen(b, all)
	if err != nil {
		return err
	}
	list := make([]profileStatus, 0, len(profiles))
	var problem error
	for _, resolved := range profiles {
		status, err := b.Status(ctx, resolved)
		if err != nil && problem == nil {
			problem = err
		}
		one := describe(resolved, status)
		one.StoreReason, one.Bound = a.whyStore(b), resolved.Bound
		list = append(list, one)
	}
	if problem == nil {
		a.exit = statusExit(list)
	}
	if a.json {
		a.printJSON(map[string]any{"profiles": list})
	} else {
		for _, one := range list {
			a.printStatus(one)
		}
	}
	if problem != nil && a.json {
		a.exit = broker.AsProblem(problem).Code // the object says the rest
		return nil
	}
	return problem
}

// chosen is the profile that is meant, or all of them.
func (a *app) chosen(b *broker.Broker, all bool) ([]broker.Resolved, error) {
	if !all {
		resolved, err := b.Resolve(a.overrides())
		return []broker.Resolved{resolved}, err
	}
	config, err := b.Config()
	if err != nil {
		return nil, err
	}
	var profiles []broker.Resolved
	for _, name := range config.ProfileNames() {
		resolved, err := config.Resolve(broker.Overrides{Profile: name}, a.deps.Env)
		if err != nil {
			return nil, err
		}
		profiles = append(profiles, resolved)
	}
	return profiles, nil
}

func (a *app) overrides() broker.Overrides { return broker.Overrides{Profile: a.profile} }

func statusExit(list []profileStatus) int {
	for _, one := range list {
		if one.State == "signed_out" {
			return broker.ExitSignInNeeded
		}
	}
	return broker.ExitOK
}

func describe(r broker.Resolved, s broker.SignInStatus) profileStatus {
	one := profileStatus{
		Profile: r.Name, Issuer: r.Issuer, ClientID: r.ClientID, Scopes: []string{},
		StoredIn: s.StoredIn, Refreshable: s.HasRefreshToken, ACR: s.ACR,
	}
	switch s.State {
	case broker.SignedIn:
		one.State = "signed_in"
	case broker.Troubled:
		one.State = "troubled"
	default:
		one.State = "signed_out"
	}
	one.expired = broker.IsExpired(s.Err)
	one.Locked = broker.IsLocked(s.Err)
	if s.Err != nil {
		one.Reason = broker.AsProblem(s.Err).Msg
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

func (a *app) printStatus(s profileStatus) {
	row := func(label, text string) {
		if text != "" {
			a.fact("  %-10s %s", label, printable(text))
		}
	}
	switch {
	case s.State == "signed_in":
		a.fact("● %s: signed in as %s", s.Profile, whoIs(*s.User))
	case s.expired && s.User != nil:
		a.fact("● %s: signed in as %s; the access token is renewed at its next use", s.Profile, whoIs(*s.User))
	case s.State == "troubled":
		a.fact("! %s: %s", s.Profile, printable(s.Reason))
	case s.Locked:
		a.fact("○ %s: locked", s.Profile)
		row("Why", s.Reason)
	default:
		a.fact("○ %s: not signed in", s.Profile)
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
	row("Bound to", s.Bound)
	row("Issuer", s.Issuer)
	row("Client", s.ClientID)
	now := time.Now()
	if s.ExpiresAt != nil && !s.Locked {
		row("Access", access(s, now))
	}
	if s.SignedInAt != nil {
		row("Signed in", broker.Moment(*s.SignedInAt, now))
	}
	row("Proof", s.ACR)
	if s.EndsAt != nil && s.State != "signed_out" {
		row("Limit", "ends "+broker.Moment(*s.EndsAt, now)+" by the profile's limits; a call before that moves an idle limit")
	}
	row("Stored in", s.StoredIn+"  ("+s.StoreReason+")")
	if s.State == "signed_out" {
		a.say("%s", signInHint(s))
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
		return "until " + broker.Moment(*s.ExpiresAt, now) + " (" + broker.TimeSpan(left) + "), renews itself"
	}
	return "until " + broker.Moment(*s.ExpiresAt, now) + " (" + broker.TimeSpan(left) + "), then sign in again"
}
