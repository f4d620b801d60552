package transparency

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/.ci/suite"
	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// provider signs everybody in as Ada.
var provider *demoidp.Server

func runTests(m *testing.M) int {
	var err error
	provider, err = demoidp.Start(demoidp.Options{AutoApprove: true})
	check(err)
	defer provider.Close()
	return m.Run()
}

// machine is one user's machine: a home, and a profile that is signed in.
type machine struct{ home string }

// profiles numbers the profiles: their homes differ, but the keychain is one.
var profiles atomic.Int64

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{home: filepath.Join(t.TempDir(), "home")}
	if err := os.Mkdir(m.home, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	login := exec.CommandContext(ctx, suite.Program("mcpauth"), "login", "--profile", "t"+itoa(int(profiles.Add(1))),
		"--issuer", provider.Issuer(), "--client-id", demoidp.DefaultClientID)
	login.Env = append(m.environ(), "BROWSER="+strings.Join(part("browser"), " "))
	login.Dir = m.home
	if said, err := login.CombinedOutput(); err != nil {
		t.Fatalf("mcpauth login: %v\n%s", err, said)
	}
	t.Cleanup(func() { m.keptNoSecret(t) })
	return m
}

// environ is what an AI client may leave of an environment.
func (m *machine) environ() []string {
	return []string{"HOME=" + m.home, "PATH=" + suite.CleanPath}
}

// command runs in the home; its standard streams are the caller's business.
func (m *machine) command(argv []string) *exec.Cmd {
	command := exec.Command(argv[0], argv[1:]...)
	command.Env, command.Dir = m.environ(), m.home
	return command
}

// proxied puts a server behind the proxy.
func proxied(server []string) []string {
	return append([]string{suite.Program("mcpauth"), "proxy", "--"}, server...)
}

var canary = regexp.MustCompile(demoidp.Canary)

// keptNoSecret: the provider's tokens are in the keychain only.
func (m *machine) keptNoSecret(t *testing.T) {
	t.Helper()
	suite.NoSecretIn(t, m.home, canary)
}

// playBrowser is a browser without a window: it follows the redirects from the
// provider to the loopback listener of the login.
func playBrowser(args []string) {
	jar, err := cookiejar.New(nil)
	check(err)
	client := http.Client{Jar: jar, Timeout: 20 * time.Second}
	response, err := client.Get(args[len(args)-1])
	check(err)
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	check(err)
}
