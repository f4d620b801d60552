package clientcmd

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/cmd/accountcmd"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// finish signs in, if that is wanted, and says what comes next. The profile is
// written by now, so whatever fails here can be done again.
func (s *setup) finish(ctx context.Context) error {
	members := map[string]any{
		"profile": s.name, "file": s.broker.Paths.ConfigFile, "issuer": s.profile.Issuer, "client_id": s.profile.ClientID,
		"provider": s.provider.Name, "redirect_uris": s.redirect, "command": append([]string{}, s.profile.Command...), "signed_in": false,
	}
	added, err := s.addClients(ctx)
	if err != nil {
		return err
	}
	members["clients"] = added
	if s.signIn {
		user, err := s.firstSignIn(ctx)
		if err != nil {
			return err
		}
		members["signed_in"], members["user"] = true, user
	}
	if s.JSON {
		s.PrintJSON(members)
		return nil
	}
	if !s.signIn && !s.kept {
		s.Say("  Sign in with:  mcpauth login --profile %s", s.name)
	}
	if len(added) == 0 {
		s.tellOfClients()
	}
	s.Say("  See whether all is well:  mcpauth doctor --profile %s", s.name)
	return nil
}

func (s *setup) chooseSignIn(ctx context.Context) error {
	if s.signIn = s.o.signIn; s.o.signIn || s.o.noSignIn || s.ask == nil {
		return nil
	}
	answer, err := s.one(ctx, broker.Query{
		Title: "Sign in now?", Options: []broker.Option{{Value: "yes", Label: "Yes, in the browser"}, {Value: "no", Label: "Later"}},
	})
	s.signIn = answer == "yes"
	return err
}

func (s *setup) firstSignIn(ctx context.Context) (broker.User, error) {
	resolved, err := s.broker.Resolve(config.Overrides{Profile: s.name})
	if err != nil {
		return broker.User{}, err
	}
	s.Say("Signing in to %s at %s", console.Printable(s.name), resolved.Host())
	user, _, err := s.broker.Login(ctx, resolved, broker.LoginOptions{UI: accountcmd.LoginUI(s.App, false, accountcmd.Patience), Timeout: accountcmd.Patience})
	if err != nil {
		problem := *problem.Of(err)
		problem.Hints = append(append([]string{}, problem.Hints...),
			"the profile is kept; try again with: mcpauth login --profile "+s.name,
			"see each step: mcpauth login --trace --profile "+s.name)
		return user, &problem
	}
	if !s.JSON {
		s.Fact("✓ Signed in as %s. The tokens are in: %s", console.WhoIs(user), s.broker.Store.Name())
	}
	return user, nil
}

// splitWords cuts a command line into words as a shell does, with quotes and
// backslashes, and does nothing else of what a shell does.
func splitWords(line string) ([]string, error) {
	var (
		list   []string
		word   strings.Builder
		begun  bool
		quote  rune
		escape bool
	)
	for _, r := range line {
		switch {
		case escape:
			word.WriteRune(r)
			escape = false
		case quote != 0 && r == quote:
			quote = 0
		case quote == '\'':
			word.WriteRune(r)
		case r == '\\' && filepath.Separator != '\\': // where it is no part of paths
			escape, begun = true, true
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, begun = r, true
		case r == ' ' || r == '\t':
			if begun {
				list = append(list, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	switch {
	case quote != 0:
		return nil, errors.New("a quote is not closed")
	case escape:
		return nil, errors.New("a backslash stands at the end")
	case begun:
		list = append(list, word.String())
	}
	return list, nil
}
