package broker

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const boundProfiles = `default_profile = "home"
[profiles.home]
issuer = "https://home.example.com"
client_id = "x"
[profiles.work]
issuer = "https://work.example.com"
client_id = "x"
[profiles.orders]
issuer = "https://orders.example.com"
client_id = "x"
`

// binder is a broker with three profiles, and a folder to bind in.
func binder(t *testing.T, env ...string) (b *Broker, root string) {
	t.Helper()
	dir := t.TempDir()
	paths := Paths{ConfigFile: filepath.Join(dir, "config.toml"), StateDir: filepath.Join(dir, "state")}
	if err := os.WriteFile(paths.ConfigFile, []byte(boundProfiles), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "work/orders/src"), 0o700); err != nil {
		t.Fatal(err)
	}
	return New(Options{Paths: paths, Env: vars(env...)}), root
}

func bind(t *testing.T, b *Broker, dir, profile string) {
	t.Helper()
	if got, err := b.Bind(t.Context(), dir, profile); err != nil || got.Profile != profile {
		t.Fatalf("bind %s: %+v, %v", dir, got, err)
	}
}

func TestNearestBindingCounts(t *testing.T) {
	t.Parallel()
	b, root := binder(t)
	work := filepath.Join(root, "work")
	bind(t, b, work, "work")
	bind(t, b, filepath.Join(work, "orders"), "orders")
	if err := os.Symlink(filepath.Join(work, "orders"), filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string][2]string{
		"":                                    {"home", ""},
		root:                                  {"home", ""},
		work:                                  {"work", work},
		filepath.Join(work, "orders"):         {"orders", filepath.Join(work, "orders")},
		filepath.Join(work, "orders", "src"):  {"orders", filepath.Join(work, "orders")},
		filepath.Join(root, "link", "src"):    {"orders", filepath.Join(work, "orders")},
		filepath.Join(root, "work-elsewhere"): {"home", ""}, // shares only letters, and is not there
	} {
		b.Dir = dir
		r, err := b.Resolve(Overrides{})
		if err != nil || r.Name != want[0] || r.Bound != want[1] {
			t.Errorf("in %q: %s, bound to %q, %v; want %v", dir, r.Name, r.Bound, err, want)
		}
	}
}

func TestStrongerThanABinding(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		flags Overrides
		env   []string
		want  string
		bound bool
	}{
		"nothing":       {want: "work", bound: true},
		"--profile":     {flags: Overrides{Profile: "orders"}, want: "orders"},
		"environment":   {env: []string{"MCPAUTH_PROFILE", "orders"}, want: "orders"},
		"whole client":  {flags: Overrides{Issuer: "https://orders.example.com", ClientID: "x"}, want: "orders"},
		"one scope":     {flags: Overrides{Scopes: []string{"a"}}, want: "work", bound: true},
		"other folder":  {flags: Overrides{Cwd: os.TempDir()}, want: "home"},
		"same --cwd":    {flags: Overrides{Cwd: "ROOT"}, want: "work", bound: true},
		"only --issuer": {flags: Overrides{Issuer: "https://evil.example"}, want: "work", bound: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, root := binder(t, test.env...)
			bind(t, b, root, "work")
			b.Dir = root
			if test.flags.Cwd == "ROOT" {
				test.flags.Cwd = root
			}
			r, err := b.Resolve(test.flags)
			if err != nil || r.Name != test.want || (r.Bound == root) != test.bound {
				t.Errorf("%s, bound to %q, %v", r.Name, r.Bound, err)
			}
		})
	}
}

func TestBindingsAreEdited(t *testing.T) {
	t.Parallel()
	b, root := binder(t)
	work := filepath.Join(root, "work")
	bind(t, b, work, "work")
	bind(t, b, root, "home")
	bind(t, b, work, "orders")
	got, err := b.Bindings()
	if diff := cmp.Diff([]Binding{{root, "home"}, {work, "orders"}}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := os.RemoveAll(work); err != nil { // what is bound need not be there any more
		t.Fatal(err)
	}
	if was, err := b.Unbind(t.Context(), work); err != nil || was.Profile != "orders" {
		t.Errorf("unbind: %+v, %v", was, err)
	}
	var problem *Problem
	if _, err := b.Unbind(t.Context(), work); !errors.As(err, &problem) || problem.Code != ExitUsage {
		t.Errorf("unbind twice: %v", err)
	}
	if _, err := b.Bind(t.Context(), work, "home"); !errors.As(err, &problem) {
		t.Errorf("bind a folder that is not there: %v", err)
	}
	if _, err := b.Bind(t.Context(), root, "nosuch"); !errors.As(err, &problem) {
		t.Errorf("bind to a profile that is not there: %v", err)
	}
	if info, err := os.Stat(b.bindingsFile()); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// The file decides where the user signs in, so no doubt about it is passed over.
func TestBindingsThatCannotBeTrusted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		mode os.FileMode
		says string
	}{
		"torn":         {`{"schema":1,"dirs":{"/`, 0o600, "cannot read"},
		"newer":        {`{"schema":2}`, 0o600, "schema 2"},
		"others write": {`{"schema":1}`, 0o666, "cannot be trusted"},
		"gone profile": {`{"schema":1,"dirs":{"ROOT":"nosuch"}}`, 0o600, "mcpauth profile unbind"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" && test.mode == 0o666 {
				return // files have no mode there
			}
			b, root := binder(t)
			b.Dir = root
			if err := os.MkdirAll(b.Paths.StateDir, 0o700); err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(test.text, "ROOT", filepath.ToSlash(root))
			if err := errors.Join(os.WriteFile(b.bindingsFile(), []byte(text), test.mode), os.Chmod(b.bindingsFile(), test.mode)); err != nil {
				t.Fatal(err)
			}
			_, err := b.Resolve(Overrides{})
			var problem *Problem
			if !errors.As(err, &problem) || !strings.Contains(problem.Msg+strings.Join(problem.Hints, " "), test.says) {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
}
