package cmd

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the release build.
var version = "dev"

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			number, commit := build()
			if a.json {
				a.printJSON(map[string]any{
					"version": number, "commit": commit, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
				return nil
			}
			a.fact("mcpauth %s", number)
			return nil
		},
	}
}

// build is the version and commit of this binary, as far as they are known.
func build() (number, commit string) {
	number = version
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return number, ""
	}
	if number == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		number = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			commit = setting.Value
		}
	}
	return number, commit
}
