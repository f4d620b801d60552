package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/manpages"
)

func newMan(a *console.App) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages to a folder",
		Long: "Writes one page for each command to the folder DIR, which is made if need be. The\n" +
			"packages bring the pages; this is for other installations.",
		Example: "  mcpauth man ~/.local/share/man/man1",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return console.Usage("man needs one folder", "mcpauth man ~/.local/share/man/man1")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return writeManual(a, c.Root(), args[0]) },
	}
}

func writeManual(a *console.App, root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the folder for the pages cannot be made: %w", err)
	}
	b := console.Build()
	date := b.Time
	if date.IsZero() {
		date = time.Now()
	}
	if err := manpages.Write(root, dir, "mcpauth "+b.Version, date); err != nil {
		return fmt.Errorf("the pages cannot be written: %w", err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "mcpauth*.1"))
	if err != nil {
		return err
	}
	a.Done(map[string]any{"dir": dir, "pages": len(pages)}, "✓ %d pages are in %s", len(pages), console.Printable(dir))
	return nil
}
