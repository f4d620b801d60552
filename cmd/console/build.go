package console

import (
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
)

// These are set by the release build (-ldflags -X). Without them the build info
// that Go leaves in the binary tells what it knows.
var (
	version = "dev"
	commit  = ""
	date    = "" // of the commit, RFC 3339
)

// buildFacts are what is known of this binary.
type buildFacts struct {
	Version  string
	Commit   string    // empty when it is not known
	Time     time.Time // of the commit; zero when it is not known
	Modified bool      // built from a work tree that differs from the commit
}

// versionFlag gives a program's first command the flag --version, which does what
// `mcpauth version` does. It is no Version of cobra's: that knows nothing of --json.
func (a *App) AddVersionFlag(first *cobra.Command) {
	var wanted bool
	first.Flags().BoolVar(&wanted, "version", false, "print the version")
	other := first.RunE
	first.RunE = func(c *cobra.Command, args []string) error {
		if !wanted {
			return other(c, args)
		}
		a.TellVersion()
		return nil
	}
}

func (a *App) TellVersion() {
	b := Build()
	if !a.JSON {
		a.Fact("mcpauth %s", b.Version)
		return
	}
	members := map[string]any{
		"version": b.Version, "commit": b.Commit, "modified": b.Modified, "go": runtime.Version(),
		"os": runtime.GOOS, "arch": runtime.GOARCH, "platform": runtime.GOOS + "/" + runtime.GOARCH,
	}
	if !b.Time.IsZero() {
		members["time"] = b.Time.UTC()
	}
	a.PrintJSON(members)
}

// Build tells of this binary, as far as it is known.
func Build() buildFacts {
	b := buildFacts{Version: version, Commit: commit}
	b.Time, _ = time.Parse(time.RFC3339, date) // zero when there is none
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if b.Version == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		b.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision" && b.Commit == "":
			b.Commit = setting.Value
		case setting.Key == "vcs.time" && b.Time.IsZero():
			b.Time, _ = time.Parse(time.RFC3339, setting.Value)
		case setting.Key == "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}
