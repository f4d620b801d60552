package clientcmd

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// clientDone is one change of `client … --json`.
type clientDone struct {
	Client  string `json:"client"`
	Server  string `json:"server"`
	Op      string `json:"op"`
	Scope   string `json:"scope"`
	File    string `json:"file"`
	Diff    string `json:"diff"` // empty when all was as it should be
	Written bool   `json:"written"`
	Next    string `json:"next,omitempty"`
}

// makeChanges shows each change, asks and makes it.
func makeChanges(ctx context.Context, a *console.App, b *broker.Broker, o *clientOptions, changes []clients.Change) error {
	ask := !o.yes && !o.dryRun
	if ask && !console.IsTerminal(a.In) {
		return console.Usage("nobody is there to be asked, so nothing was written", "--dry-run shows the change", "--yes makes it")
	}
	for _, c := range changes {
		if c.Outside != "" && c.Diff != "" && o.yes && !o.dryRun && !o.followLinks {
			return console.Usage(fmt.Sprintf("%s is a link to %s, outside of this project, so nothing was written", console.Printable(c.File), console.Printable(c.Outside)),
				"look at that file; to change it all the same: --follow-links", "without --yes it is asked about")
		}
	}
	done := []clientDone{}
	for _, c := range changes {
		one := clientDone{Client: c.Client, Server: c.Server, Op: c.Op, Scope: c.Scope, File: c.File, Diff: c.Diff}
		showChange(a, c)
		write := c.Diff != "" && !o.dryRun
		if write && ask {
			write = a.Agree(ctx, "Change "+console.Printable(cmp.Or(c.Outside, c.File))+"?")
			if err := ctx.Err(); err != nil {
				return err
			}
			if !write {
				a.Say("%s stays as it is", console.Printable(c.File))
			}
		}
		if write {
			if err := b.Clients().Apply(ctx, c); err != nil {
				return err
			}
			one.Written, one.Next = true, c.After
			tellChanged(a, c)
		}
		done = append(done, one)
	}
	if a.JSON {
		a.PrintJSON(map[string]any{"changes": done})
	}
	return nil
}

func showChange(a *console.App, c clients.Change) {
	switch {
	case c.Diff == "":
		a.Say("%s: %s is set up already, in %s", c.ClientName, console.Printable(c.Server), console.Printable(c.File))
	case !a.JSON:
		a.Fact("%s: %s", c.ClientName, console.Printable(c.File))
		if c.Outside != "" {
			a.Fact("  a link to %s, outside of this project", console.Printable(c.Outside))
		}
		a.Fact("%s", text.CleanText(c.Diff))
	}
	if c.Note != "" {
		for line := range strings.SplitSeq(c.Note, "\n") {
			a.Say("%s", console.Printable(line))
		}
	}
}

// clientVerbs say what was done.
var clientVerbs = map[string]string{
	"add": "Added", "wrap": "Put mcpauth in front of", "renew": "Renewed", "unwrap": "Took mcpauth away from", "remove": "Removed", "undo": "Undid the last change of",
}

func tellChanged(a *console.App, c clients.Change) {
	if !a.JSON {
		a.Fact("✓ %s %s in %s", clientVerbs[c.Op], console.Printable(c.Server), c.ClientName)
	}
	a.Say("  %s", c.After)
}
