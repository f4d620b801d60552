package cmd

import (
	"context"

	"github.com/mcpauth/mcpauth/broker"
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
func (a *app) makeChanges(ctx context.Context, b *broker.Broker, o *clientOptions, changes []broker.ClientChange) error {
	ask := !o.yes && !o.dryRun
	if ask && !isTerminal(a.In) {
		return usage("nobody is there to be asked, so nothing was written", "--dry-run shows the change", "--yes makes it")
	}
	done := []clientDone{}
	for _, c := range changes {
		one := clientDone{Client: c.Client, Server: c.Server, Op: c.Op, Scope: c.Scope, File: c.File, Diff: c.Diff}
		a.showChange(c)
		write := c.Diff != "" && !o.dryRun
		if write && ask {
			write = a.agree(ctx, "Change "+printable(c.File)+"?")
			if err := ctx.Err(); err != nil {
				return err
			}
			if !write {
				a.say("%s stays as it is", printable(c.File))
			}
		}
		if write {
			if err := b.ApplyClient(ctx, c); err != nil {
				return err
			}
			one.Written, one.Next = true, c.After
			a.tellChanged(c)
		}
		done = append(done, one)
	}
	if a.json {
		a.printJSON(map[string]any{"changes": done})
	}
	return nil
}

func (a *app) showChange(c broker.ClientChange) {
	switch {
	case c.Diff == "":
		a.say("%s: %s is set up already, in %s", c.ClientName, printable(c.Server), printable(c.File))
	case !a.json:
		a.fact("%s: %s", c.ClientName, printable(c.File))
		a.fact("%s", broker.CleanText(c.Diff))
	}
	if c.Note != "" {
		a.say("%s", printable(c.Note))
	}
}

// clientVerbs say what was done.
var clientVerbs = map[string]string{
	"add": "Added", "wrap": "Put mcpauth in front of", "renew": "Renewed", "unwrap": "Took mcpauth away from", "remove": "Removed", "undo": "Undid the last change of",
}

func (a *app) tellChanged(c broker.ClientChange) {
	if !a.json {
		a.fact("✓ %s %s in %s", clientVerbs[c.Op], printable(c.Server), c.ClientName)
	}
	a.say("  %s", c.After)
}
