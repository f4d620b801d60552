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
	if err := refuseLinks(o, changes); err != nil {
		return err
	}
	var files []string
	for _, c := range changes {
		showChange(a, c)
		if c.Diff != "" {
			files = append(files, console.Printable(cmp.Or(c.Outside, c.File)))
		}
	}
	write := !o.dryRun
	if ask && len(files) > 0 {
		if write = agreeTo(ctx, a, files); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	done := []clientDone{}
	for _, c := range changes {
		one := clientDone{Client: c.Client, Server: c.Server, Op: c.Op, Scope: c.Scope, File: c.File, Diff: c.Diff}
		if write && c.Diff != "" {
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

// refuseLinks is the error that a file leads out of the project, where nobody is asked.
func refuseLinks(o *clientOptions, changes []clients.Change) error {
	for _, c := range changes {
		if c.Outside != "" && c.Diff != "" && o.yes && !o.dryRun && !o.followLinks {
			return console.Usage(fmt.Sprintf("%s is a link to %s, outside of this project, so nothing was written", console.Printable(c.File), console.Printable(c.Outside)),
				"look at that file; to change it all the same: --follow-links", "without --yes it is asked about")
		}
	}
	return nil
}

// agreeTo asks once for all files.
func agreeTo(ctx context.Context, a *console.App, files []string) bool {
	question, stays := "Change "+files[0]+"?", files[0]+" stays as it is"
	if len(files) > 1 {
		question, stays = fmt.Sprintf("Change these %d files?", len(files)), "all files stay as they are"
	}
	if a.Agree(ctx, question) {
		return true
	}
	if ctx.Err() == nil {
		a.Say("%s", stays)
	}
	return false
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
