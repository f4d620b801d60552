package refresh

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// TestMoveUnderRunningProxies: the tokens go from the keychain to the age file
// and back while proxies work. No call fails.
func TestMoveUnderRunningProxies(t *testing.T) {
	t.Parallel()
	idp, m := startFaulty(t, demoidp.Options{}, 3600, 3600)
	m.usePassphraseFile()
	working := make([]*proxy, 4)
	for i := range working {
		working[i] = m.proxy()
		working[i].open()
		working[i].call().wantUser(t)
	}
	stop, stopped := make(chan struct{}), sync.WaitGroup{}
	for _, p := range working {
		stopped.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
					p.call().wantUser(t)
				}
			}
		})
	}
	for _, to := range []string{"age", "keychain", "age"} {
		if said := m.run(nil, "store", "use", to); said.code != 0 || !strings.Contains(said.stdout, "Sign-ins moved: 1") {
			t.Fatalf("to %s: %v", to, said)
		}
		time.Sleep(time.Second) // within which the proxies hear of it
	}
	close(stop)
	stopped.Wait()

	if said := m.run(nil, "status"); !strings.Contains(said.stdout, "age file") {
		t.Errorf("status: %v", said)
	}
	if n := idp.refreshes(); n != 0 {
		t.Errorf("%d refreshes for nothing", n)
	}
}

// TestAgeStoreRefreshesOnce is the refresh of many with the age file.
func TestAgeStoreRefreshesOnce(t *testing.T) {
	t.Parallel()
	idp, m := startFaulty(t, demoidp.Options{}, 2, 3600)
	m.usePassphraseFile()
	if said := m.run(nil, "store", "use", "age"); said.code != 0 {
		t.Fatalf("store use: %v", said)
	}
	m.untilOver()
	const many = 6 // each takes a second of a processor to open the file
	tokens := make([]string, many)
	var all sync.WaitGroup
	for i := range tokens {
		all.Go(func() { tokens[i] = m.token() })
	}
	p := m.proxy()
	p.open()
	p.call().wantUser(t)
	all.Wait()
	for _, token := range tokens {
		if token == "" || token != tokens[0] {
			t.Error("two processes have different tokens")
		}
	}
	if n := idp.refreshes(); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
}

// usePassphraseFile has the configuration name a file with a passphrase.
func (m *machine) usePassphraseFile() {
	m.t.Helper()
	secret := filepath.Join(m.t.TempDir(), "passphrase")
	config := filepath.Join(m.home, ".config/mcpauth/config.toml")
	text, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, fmt.Appendf(nil, "passphrase_file = %q\n%s", secret, text), 0o600)
	}
	if err == nil {
		err = os.WriteFile(secret, []byte("correct horse battery staple\n"), 0o600)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}
