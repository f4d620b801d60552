package config

import (
	"os/user"
	"runtime"
	"testing"
)

func TestDefaultPaths(t *testing.T) {
	// An AI client strips these and a terminal does not: both must see one place.
	t.Setenv("XDG_CONFIG_HOME", "/elsewhere")
	t.Setenv("XDG_STATE_HOME", "/elsewhere")
	t.Setenv("APPDATA", `C:\elsewhere`)
	for _, tt := range []struct {
		home, goos string
		want       Paths
	}{
		{"/home/ada", "linux", Paths{"/home/ada/.config/mcpauth/config.toml", "/home/ada/.local/state/mcpauth"}},
		{"/Users/ada/", "darwin", Paths{"/Users/ada/.config/mcpauth/config.toml", "/Users/ada/.local/state/mcpauth"}},
		{`C:\Users\ada`, "windows", Paths{`C:\Users\ada\.mcpauth\config.toml`, `C:\Users\ada\.mcpauth\state`}},
		{`C:\Users\ada\`, "windows", Paths{`C:\Users\ada\.mcpauth\config.toml`, `C:\Users\ada\.mcpauth\state`}},
	} {
		if got := DefaultPaths(tt.home, tt.goos); got != tt.want {
			t.Errorf("%s on %s: got %+v", tt.home, tt.goos, got)
		}
	}
}

// TestHome: with and without the variable, as under env -i.
func TestHome(t *testing.T) {
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	variable := "HOME"
	if runtime.GOOS == "windows" {
		variable = "USERPROFILE"
	}
	set := t.TempDir()
	for value, want := range map[string]string{set: set, "": u.HomeDir, "relative": u.HomeDir} {
		t.Setenv(variable, value)
		if got, err := Home(); err != nil || got != want {
			t.Errorf("%s=%q: got %q, %v, want %q", variable, value, got, err, want)
		}
	}
}
