package cmd

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/cmd/console"
)

func testRoot() *cobra.Command {
	return newRoot(&console.App{Streams: console.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}})
}

func TestEveryCommandHasAnExample(t *testing.T) {
	everyCommand(testRoot(), func(c *cobra.Command) {
		if c.Hidden || c.IsAdditionalHelpTopicCommand() {
			return
		}
		if !strings.HasPrefix(c.Example, "  ") || !strings.Contains(c.Example, c.Root().Name()) {
			t.Errorf("%s has no example, but %q", c.CommandPath(), c.Example)
		}
	})
}

// TestHelpGroupsHoldCommands: each command has its place in the help, and each name in
// the groups is a command.
func TestHelpGroupsHoldCommands(t *testing.T) {
	root := testRoot()
	other := []string{"completion", "help", "man", "version"}
	var grouped []string
	for _, group := range helpGroups {
		grouped = append(grouped, group.commands...)
	}
	for _, c := range root.Commands() {
		if !c.IsAvailableCommand() || slices.Contains(other, c.Name()) {
			continue
		}
		if i := slices.Index(grouped, c.Name()); i >= 0 {
			grouped = slices.Delete(grouped, i, i+1)
		} else {
			t.Errorf("%s is in no group of the help", c.Name())
		}
	}
	if len(grouped) > 0 {
		t.Errorf("the groups of the help name no commands: %v", grouped)
	}
}

func TestHelpTopicsAreDocumented(t *testing.T) {
	for _, topic := range topics {
		page := readText(t, "docs/"+topic.page)
		for _, row := range topic.rows {
			if !strings.Contains(page, "`"+row[0]) && !strings.Contains(page, "| "+row[0]+" | "+row[1]+" |") {
				t.Errorf("docs/%s does not have %s of `mcpauth help %s`", topic.page, row[0], topic.name)
			}
		}
	}
}

// TestSuggestions: the nearest command comes first, and none that cuts off.
func TestSuggestions(t *testing.T) {
	root := testRoot()
	for word, want := range map[string]string{
		"logn": "login", "hlep": "help", "signin": "login", "sign-in": "login", "auth": "login", "setup": "init", "whoami": "status",
		"statsu": "status", "tool": "tools", "prof": "profile", "lokc": "", "logot": "login", "demo-server": "",
	} {
		got := console.MeantCommands(root, word)
		if first := strings.Join(got[:min(1, len(got))], ""); first != want {
			t.Errorf("%s: suggests %q, want %q first", word, got, want)
		}
		for _, name := range got {
			if name == "lock" || name == "logout" {
				t.Errorf("%s: suggests %s", word, name)
			}
		}
	}
}
