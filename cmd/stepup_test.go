package cmd

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// withPolicy gives the profile orders, which is the only one, a policy.
func (m *machine) withPolicy(text string) {
	m.t.Helper()
	rules, config := filepath.Join(m.dir, "policy.toml"), filepath.Join(m.dir, configFile())
	data, err := os.ReadFile(config)
	if err != nil {
		m.t.Fatal(err)
	}
	for path, data := range map[string][]byte{rules: []byte(text), config: fmt.Appendf(data, "policy = '%s'\n", rules)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			m.t.Fatal(err)
		}
	}
}

// configFile is where the configuration is, in the home folder.
func configFile() string {
	if runtime.GOOS == "windows" {
		return ".mcpauth/config.toml"
	}
	return ".config/mcpauth/config.toml"
}

// stale has the provider say that the next sign-in was long ago, as one does
// where its own session still lives.
func (m *machine) stale() {
	m.idp.SetFault(func(endpoint string) demoidp.Fault {
		if endpoint != "id_token" {
			return demoidp.Fault{}
		}
		return demoidp.Fault{Edit: func(claims map[string]any) { claims["auth_time"] = time.Now().Add(-time.Hour).Unix() }}
	})
	m.run("login", "--profile", "orders")
	m.idp.SetFault(nil)
}

// Each need brings a real sign-in: a fresh proof, another acr, one more scope,
// and all of them together. The call goes on after it, and the next is not asked.
func TestCallSignsInAgain(t *testing.T) {
	for name, test := range map[string]struct{ needs, says string }{
		"fresher":  {`max_auth_age = "15m"`, "a sign-in of the last 15m"},
		"stronger": {`acr = ["phr"]`, "a stronger sign-in (acr phr)"},
		"wider":    {`scopes = ["orders:write"]`, "the scope orders:write"},
		"all":      {"max_auth_age = \"15m\"\nacr = [\"phr\"]\nscopes = [\"orders:write\"]", "a sign-in of the last 15m, and a stronger sign-in (acr phr), and the scope orders:write"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.stale()
			m.withPolicy("[[rules]]\neffect = \"allow\"\ntools = [\"plain\"]\n" + test.needs + "\n")
			c := m.connect(helloURL, initialized, callURL)
			e := c.asked()
			if !strings.Contains(e.Params.Message, "again: plain needs "+test.says) {
				t.Errorf("asked %q", e.Params.Message)
			}
			c.answers(e, "accept")
			openPage(t, e.Params.URL)
			if line := c.hears(`"id":"c"`); !strings.Contains(line, `"email":"ada@example.com"`) || !strings.Contains(line, `"received"`) {
				t.Errorf("the call after the sign-in: %s", line)
			}
			c.say(strings.Replace(callURL, `"c"`, `"d"`, 1))
			if line := c.hears(`"id":"d"`); !strings.Contains(line, `"received"`) {
				t.Errorf("the next call: %s", line)
			}
		})
	}
}

// The modern protocol carries the same in the answer to the call.
func TestModernCallSignsInAgain(t *testing.T) {
	m := newMachine(t)
	m.stale()
	m.withPolicy("[[rules]]\neffect = \"allow\"\ntools = [\"plain\"]\nmax_auth_age = \"15m\"\nacr = [\"phr\"]\n")
	c := m.connect(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"plain",` + metaURL + `}}`)
	var answer struct {
		Result struct {
			RequestState  string                 `json:"requestState"`
			InputRequests map[string]elicitation `json:"inputRequests"`
		} `json:"result"`
	}
	if err := json.Unmarshal([]byte(c.hears(`"id":1,`)), &answer); err != nil {
		t.Fatal(err)
	}
	e := answer.Result.InputRequests["mcpauth_sign_in"]
	if !strings.Contains(e.Params.Message, "again: plain needs a sign-in of the last 15m") {
		t.Fatalf("%+v", answer)
	}
	c.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"requestState":%q,"inputResponses":{"mcpauth_sign_in":{"action":"accept"}},"name":"plain",%s}}`,
		answer.Result.RequestState, metaURL))
	openPage(t, e.Params.URL)
	if line := c.hears(`"id":2,`); !strings.Contains(line, `"received"`) || !strings.Contains(line, `"email":"ada@example.com"`) {
		t.Errorf("the call after the sign-in: %s", line)
	}
}

// A provider that does not do what it was asked for is not asked without end,
// and the model is told.
func TestSignInAgainInVain(t *testing.T) {
	m := newMachine(t)
	m.run("login", "--profile", "orders")
	m.withPolicy("[[rules]]\neffect = \"allow\"\ntools = [\"plain\"]\nacr = [\"unheard-of\"]\n")
	c := m.connect(helloURL, initialized, callURL)
	e := c.asked()
	c.answers(e, "accept")
	openAny(t, e.Params.URL)
	if line := c.hears(`"id":"c"`); !strings.Contains(line, "Another sign-in is needed") || !strings.Contains(line, "mcpauth login --profile orders --acr unheard-of") {
		t.Errorf("%s", line)
	}
	c.say(strings.Replace(callURL, `"c"`, `"d"`, 1))
	for line := ""; !strings.Contains(line, `"id":"d"`); {
		if line = c.hears(`"jsonrpc"`); strings.Contains(line, "elicitation/create") {
			t.Errorf("asked again at once: %s", line)
		}
	}
}
