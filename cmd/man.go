package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// ManWriter writes the manual pages of root to the folder dir. Package manpages
// has it; it is handed in because its library costs size and time at every start.
type ManWriter func(root *cobra.Command, dir, source string, date time.Time) error

func newMan(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages to a folder",
		Long: "Writes one page for each command to the folder DIR, which is made if need be. The\n" +
			"packages bring the pages; this is for other installations.",
		Example: "  mcpauth man ~/.local/share/man/man1",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("man needs one folder", "mcpauth man ~/.local/share/man/man1")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.writeManual(c.Root(), args[0]) },
	}
}

func (a *app) writeManual(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the folder for the pages cannot be made: %w", err)
	}
	b := build()
	date := b.Time
	if date.IsZero() {
		date = time.Now()
	}
	if err := a.deps.Man(root, dir, "mcpauth "+b.Version, date); err != nil {
		return fmt.Errorf("the pages cannot be written: %w", err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "mcpauth*.1"))
	if err != nil {
		return err
	}
	a.done(map[string]any{"dir": dir, "pages": len(pages)}, "✓ %d pages are in %s", len(pages), printable(dir))
	return nil
}
