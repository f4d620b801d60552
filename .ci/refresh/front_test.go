package refresh

import (
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

// front stands before a real provider and is its issuer: it counts.
type front struct {
	server   *httptest.Server
	issuer   string
	clientID string

	mu        sync.Mutex
	upstream  string      // address of the provider
	refreshes []int       // status of each refresh, as answered
	at        []time.Time // when each was asked for
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{}
	relay := &httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0), // a provider that is not up yet
		Rewrite: func(r *httputil.ProxyRequest) {
			f.mu.Lock()
			defer f.mu.Unlock()
			r.SetURL(&url.URL{Scheme: "http", Host: f.upstream})
			r.Out.Host = r.In.Host // the provider makes its URLs of it
		},
		ModifyResponse: func(r *http.Response) error {
			if isRefresh(r.Request) {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.refreshes = append(f.refreshes, r.StatusCode)
			}
			return nil
		},
	}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		form, _ := url.ParseQuery(string(body))
		if form.Get("grant_type") == "refresh_token" {
			r.Header.Set(refreshMark, "1")
			f.mu.Lock()
			f.at = append(f.at, time.Now())
			f.mu.Unlock()
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		relay.ServeHTTP(w, r)
	}))
	t.Cleanup(f.server.Close)
	f.issuer = f.server.URL
	return f
}

const refreshMark = "X-Refresh"

func isRefresh(r *http.Request) bool { return r.Header.Get(refreshMark) != "" }

// wantOneRefresh is the promise: one request, and it was answered with tokens.
func (f *front) wantOneRefresh(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.refreshes) != 1 || f.refreshes[0] != http.StatusOK {
		t.Errorf("refreshes were answered by %v, want one, with 200", f.refreshes)
	}
}

// oidcProvider starts npm oidc-provider. The token of a sign-in lives first
// seconds, those of a refresh an hour.
func oidcProvider(t *testing.T, first string) *front {
	t.Helper()
	f := newFront(t)
	var said struct {
		Address  string `json:"address"`
		ClientID string `json:"client_id"`
	}
	suite.StartProvider(t, &said, "node", "provider.mjs", f.issuer, first)
	f.upstream, f.clientID = said.Address, said.ClientID
	return f
}

// dex starts Dex, whose tokens live as long as its configuration says.
func dex(t *testing.T, lifetime string) *front {
	t.Helper()
	f := newFront(t)
	f.upstream, f.clientID = freeAddress(t), "mcpauth-refresh"
	config := map[string]any{
		"issuer":  f.issuer,
		"storage": map[string]any{"type": "memory"},
		"web":     map[string]any{"http": f.upstream},
		// The source is the one place where its pages are.
		"frontend": map[string]any{"dir": suite.Program("dex-web")},
		"logger":   map[string]any{"level": "error"},
		"expiry":   map[string]any{"idTokens": lifetime},
		"oauth2":   map[string]any{"skipApprovalScreen": true},
		"staticClients": []any{map[string]any{
			"id": f.clientID, "name": "mcpauth", "public": true}}, // any port of 127.0.0.1
		"enablePasswordDB": true,
		"staticPasswords": []any{map[string]any{
			"email": "ada@example.com", "username": "ada", "userID": "ada",
			// bcrypt of the word password, as in Dex's own example
			"hash": "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W"}},
	}
	text, err := json.Marshal(config) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dex.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), suite.Program("dex"), "serve", path)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Wait() }) // t.Context has ended it
	eventually(t, "Dex answers", func() bool {
		response, err := http.Get(f.issuer + "/.well-known/openid-configuration")
		return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
	})
	return f
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}
