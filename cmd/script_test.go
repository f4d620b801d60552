package cmd

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/keychain"
)

// TestMain makes the programs of the scripts out of the test binary.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "4"); err != nil { // they wait more than they compute
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"mcpauth":     runMcpauth,
		"testbrowser": runBrowser,
		"testserver":  runServer,
		"orders":      runOrders,
		"client":      runClient,
	})
}

// runMcpauth is the real program but for its keychain.
func runMcpauth() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(Main(ctx, os.Args[1:], console.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, console.Deps{
		Keychain:   func(time.Duration) keychain.Store { return testKeychain() },
		Env:        os.Getenv,
		Environ:    os.Environ(),
		Executable: func() (string, error) { return exec.LookPath("mcpauth") },
		Ask:        testAsker,
	}))
}

var update = flag.Bool("update", false, "write what the scripts expect")

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               setUp,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Deadline:            time.Now().Add(8 * time.Minute),
		Condition: func(word string) (bool, error) {
			if word != "root" {
				return false, fmt.Errorf("unknown condition %s", word)
			}
			return os.Getuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"idp":   idpCommand,
			"exits": exitsCommand,
			"port":  portCommand,
			"clean": cleanCommand,

			"with-policy":  withPolicy,
			"gives-token":  givesToken,
			"expand":       expandCommand,
			"age-identity": ageIdentityCommand,
			"eventually":   eventuallyCommand,
			"visit":        visitCommand,
			"await":        awaitCommand,
		},
	})
}

// setUp gives each script a home, a keychain and a browser of its own.
func setUp(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("USERPROFILE", home)
	env.Setenv("TEST_KEYCHAIN", filepath.Join(env.WorkDir, keychainDir))
	env.Setenv("BROWSER", "testbrowser")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // or each program of a race build ends a second late
	env.Setenv("CONFIG", filepath.Join(home, ".config/mcpauth/config.toml"))
	env.Setenv("DAY", time.Now().UTC().Format(time.DateOnly))
	env.Setenv("STATE", filepath.Join(home, ".local/state/mcpauth"))
	env.Defer(func() {
		if leak := findSecret(env.WorkDir); leak != "" {
			env.T().Fatal("a secret of the provider lies in " + leak)
		}
	})
	return nil
}

// keychainDir holds the test keychain; the only place for secrets.
const keychainDir = "keychain"

var canary = regexp.MustCompile(demoidp.Canary)

// findSecret looks for the provider's tokens and codes in all files that a
// script left behind: configuration, state, saved output.
func findSecret(dir string) string {
	found := ""
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && entry.Name() == keychainDir {
			return fs.SkipDir
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		if data, err := os.ReadFile(path); err == nil && canary.Match(data) {
			found = path
		}
		return nil
	})
	return found
}

// idpCommand is "idp [option or fault...]": starts a provider and sets ISSUER.
func idpCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! idp")
	}
	options := demoidp.Options{AutoApprove: true, DeviceInterval: time.Second}
	for _, arg := range args {
		switch arg {
		case "slim":
			options.SlimIDToken = true
		case "opaque":
			options.OpaqueAccessToken = true
		case "noiss":
			options.NoIss = true
		case "norevocation":
			options.NoRevocation = true
		case "strict":
			options.StrictOffline = true
		case "short":
			options.AccessLifetime = time.Second
		case "norefresh":
			options.NoRefresh = true
		case "page":
			options.AutoApprove = false
		case "rejectgroups":
			options.RejectScopes = []string{"groups"}
		case "confidential":
			options.Clients = []demoidp.Client{{
				ID: "confidential", Secret: testClientSecret,
				RedirectURIs: []string{"http://127.0.0.1/oauth/callback"},
			}}
		default:
			if !isFault(arg) {
				ts.Fatalf("idp: unknown option %s", arg)
			}
		}
	}
	server, err := demoidp.Start(options)
	ts.Check(err)
	server.SetFault(faultsNamed(args))
	ts.Defer(func() { _ = server.Close() })
	ts.Setenv("ISSUER", server.Issuer())
}

// cleanCommand is "clean": nothing of what the last program wrote is a character that
// a terminal would obey, or not show.
func cleanCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: clean")
	}
	for _, stream := range []string{"stdout", "stderr"} {
		if output := ts.ReadFile(stream); text.CleanText(output) != output {
			ts.Fatalf("%s is not clean: %+q", stream, output)
		}
	}
}

// exitsCommand is "exits CODE program [args...]".
func exitsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s exits with %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}
