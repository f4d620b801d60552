package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSignInToToolCall is the main job from end to end: a person signs in by
// clicks, an AI client calls tools that know who is calling, the person signs
// out and in again, and no byte of a token is anywhere but in the keychain.
func TestSignInToToolCall(t *testing.T) {
	m := newMachine(t)
	m.firstLogin(t)
	m.status(t)

	old, young := m.proxy(), m.proxy()
	old.open(legacy)
	young.open(modern)
	for _, c := range []*client{old, young} {
		t.Run(string(c.era), func(t *testing.T) {
			c.t = t
			knowsTheUser(t, c)
			refusesAForgedUser(t, c)
		})
		c.t = t
	}
	young.stop()

	m.logout(t)
	eventually(t, "the running proxy says that nobody is signed in", func() bool { return signInWords(old) })
	fresh := m.proxy()
	fresh.open(modern)
	if !signInWords(fresh) {
		t.Error("a new proxy does not ask for a sign-in")
	}

	m.secondLogin(t)
	for _, c := range []*client{old, fresh} {
		eventually(t, "the running proxy knows the user again", func() bool {
			text, failed := c.call("whoami", nil)
			return !failed && strings.Contains(text, "grace@example.com")
		})
		if c.era == legacy { // a modern client has to subscribe first
			c.await("notifications/tools/list_changed")
		}
		c.stop()
	}
	m.recorded(t)
	m.keptNoToken(t)
}

// firstLogin needs no file: it makes the profile and remembers it.
func (m *machine) firstLogin(t *testing.T) {
	said, screenshot := m.login("ada", "--issuer", m.issuer, "--client-id", m.clientID, "--scope", "groups")
	if said.code != 0 || !strings.Contains(said.stdout, "ada@example.com") {
		t.Fatalf("login: %v", said)
	}
	if !strings.Contains(said.stderr, "signed in to local as ada@example.com") {
		t.Errorf("the browser's last page does not say who is signed in: %v", said)
	}
	if picture, err := os.ReadFile(screenshot); err != nil || !bytes.HasPrefix(picture, []byte("\x89PNG")) {
		t.Errorf("no picture of the page: %v", err)
	}
	config := filepath.Join(m.home, ".config/mcpauth/config.toml")
	if info, err := os.Stat(config); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the profile is not remembered: %v %v", info, err)
	}
}

// secondLogin is that of somebody else, with what the first one remembered.
func (m *machine) secondLogin(t *testing.T) {
	if said, _ := m.login("grace"); said.code != 0 || !strings.Contains(said.stdout, "grace@example.com") {
		t.Fatalf("second login: %v", said)
	}
}

func (m *machine) status(t *testing.T) {
	said := m.run(nil, "status", "--json")
	var status struct {
		Schema   int `json:"schema"`
		Profiles []struct {
			State       string `json:"state"`
			Issuer      string `json:"issuer"`
			StoredIn    string `json:"stored_in"`
			Refreshable bool   `json:"refreshable"`
			User        struct {
				Sub    string   `json:"sub"`
				Email  string   `json:"email"`
				Groups []string `json:"groups"`
			} `json:"user"`
		} `json:"profiles"`
	}
	if err := json.Unmarshal([]byte(said.stdout), &status); err != nil || said.code != 0 || len(status.Profiles) != 1 {
		t.Fatalf("status: %v %v", err, said)
	}
	p := status.Profiles[0]
	if status.Schema != 1 || p.State != "signed_in" || p.Issuer != m.issuer || !p.Refreshable || !strings.Contains(p.StoredIn, "Secret Service") {
		t.Errorf("status: %v", said)
	}
	if p.User.Sub != "ada" || p.User.Email != "ada@example.com" || !slices.Equal(p.User.Groups, []string{"engineering", "on-call"}) {
		t.Errorf("the user is %+v", p.User)
	}
}

// answersToAda is what the tools of examples/python say to Ada, and to nobody
// else. whoami and list_users read the user from _meta, my_orders from the
// argument _oauth_user, which it declares.
var answersToAda = map[string]string{
	"whoami":     "ada@example.com",
	"list_users": "Ada Lovelace",
	"my_orders":  "a difference engine",
}

func knowsTheUser(t *testing.T, c *client) {
	tools := c.tools()
	for name, want := range answersToAda {
		if tools[name] == nil {
			t.Errorf("tool %s is not listed", name)
		}
		if text, failed := c.call(name, nil); failed || !strings.Contains(text, want) {
			t.Errorf("%s answered %q", name, text)
		}
	}
	// The model must not see the argument that is not its to fill in.
	if schema, _ := json.Marshal(tools["my_orders"]); bytes.Contains(schema, []byte("_oauth_user")) {
		t.Errorf("the model sees _oauth_user: %s", schema)
	}
}

// refusesAForgedUser: a model that names another user gets the real one.
func refusesAForgedUser(t *testing.T, c *client) {
	grace := map[string]any{"sub": "grace", "email": "grace@example.com", "groups": []string{"sales"}}
	for name, want := range answersToAda {
		text, _ := c.call(name, map[string]any{
			"arguments": map[string]any{"_oauth_user": grace},
			"_meta":     map[string]any{"io.github.mcpauth/user": grace},
		})
		if !strings.Contains(text, want) || strings.Contains(text, "grace") || strings.Contains(text, "a compiler") {
			t.Errorf("%s believed it: %q", name, text)
		}
	}
}

// logout ends the sign-in here and at the provider.
func (m *machine) logout(t *testing.T) {
	secrets := m.secrets()
	refresh, access := last(secrets["refresh_token"]), last(secrets["access_token"])
	if !m.active(refresh) || !m.active(access) {
		t.Fatal("the tokens are not good before the logout")
	}
	if said := m.run(nil, "logout"); said.code != 0 {
		t.Errorf("logout: %v", said)
	}
	if m.active(refresh) || m.active(access) {
		t.Error("the provider still takes the tokens")
	}
	if code := m.refreshError(refresh); code != "invalid_grant" {
		t.Errorf("a refresh was answered by %v", code)
	}
	if said := m.run(nil, "status", "--json"); said.code != 4 || !strings.Contains(said.stdout, `"signed_out"`) {
		t.Errorf("status after logout: %v", said)
	}
}

// signInWords: a call is answered by what the user has to do, as an error of
// the tool, which a model reads and passes on.
func signInWords(c *client) bool {
	text, failed := c.call("whoami", nil)
	return failed && strings.Contains(text, "mcpauth login") && !strings.Contains(text, "@example.com")
}

// recorded: the state folder has an audit line of each call, with the user.
func (m *machine) recorded(t *testing.T) {
	state := filepath.Join(m.home, ".local/state/mcpauth")
	lines := 0
	for _, path := range findInFiles(t, state, "whoami") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if strings.Contains(line, "tools/call") && strings.Contains(line, "whoami") && strings.Contains(line, `"ada"`) {
				lines++
			}
		}
	}
	if lines < 4 { // two eras, a plain and a forged call each
		t.Errorf("%d audit lines of Ada's calls of whoami", lines)
	}
}

// keptNoToken: what the provider issued is nowhere to be read.
func (m *machine) keptNoToken(t *testing.T) {
	secrets := m.secrets()
	for _, kind := range []string{"code", "access_token", "refresh_token", "id_token"} {
		if len(secrets[kind]) < 2 {
			t.Errorf("%d of kind %s were issued, so nothing is proved", len(secrets[kind]), kind)
		}
		for _, secret := range secrets[kind] {
			// Also a part would do: the last bytes are random in every kind.
			needle := secret[len(secret)-20:]
			if places := m.watch.find(needle); len(places) > 0 {
				t.Errorf("%s seen in %v", kind, places)
			}
			if places := findInFiles(t, m.home, needle); len(places) > 0 {
				t.Errorf("%s kept in %v", kind, places)
			}
		}
	}
	// The search itself works: these have to be found.
	if len(m.watch.find("BROWSER=node")) == 0 || len(m.watch.find("main.py")) == 0 || len(findInFiles(t, m.home, m.issuer)) == 0 {
		t.Error("the search finds nothing at all")
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 5 s: %s", what)
		}
	}
}
