package cmd

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"
)

const (
	helloURL = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{"form":{},"url":{}}},"clientInfo":{"name":"live","version":"1"}}}`
	callURL  = `{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"plain","arguments":{"n":1.0}}}`
	metaURL  = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}}`
)

// elicitation is what a person sees of a question.
type elicitation struct {
	ID     json.RawMessage `json:"id"`
	Params struct {
		Mode          string `json:"mode"`
		URL           string `json:"url"`
		Message       string `json:"message"`
		ElicitationID string `json:"elicitationId"`
	} `json:"params"`
}

func (c *aiClient) asked() elicitation {
	c.t.Helper()
	var e elicitation
	if err := json.Unmarshal([]byte(c.hears(`"method":"elicitation/create"`)), &e); err != nil {
		c.t.Fatal(err)
	}
	if e.Params.Mode != "url" || !strings.Contains(e.Params.Message, "orders") {
		c.t.Errorf("asked %+v", e)
	}
	return e
}

func (c *aiClient) answers(e elicitation, action string) {
	c.t.Helper()
	c.say(`{"jsonrpc":"2.0","id":` + string(e.ID) + `,"result":{"action":"` + action + `"}}`)
}

// openPage is what the client's browser does.
func openPage(t *testing.T, address string) {
	t.Helper()
	if page := openAny(t, address); !strings.Contains(page, "You are signed in") {
		t.Errorf("page %s", page)
	}
}

// openAny is openPage, for a sign-in that may be refused.
func openAny(t *testing.T, address string) (page string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Jar: jar, Timeout: 20 * time.Second}).Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// The client asks the person to sign in, and the call goes on after it.
func TestCallAsksForTheSignIn(t *testing.T) {
	m := newMachine(t)
	c := m.connect(helloURL, initialized, callURL)
	e := c.asked()
	c.say(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	c.hears(`"id":1,`) // nothing else waits for the person
	c.answers(e, "accept")
	openPage(t, e.Params.URL)
	line := c.hears(`"id":"c"`)
	if !strings.Contains(line, `"email":"ada@example.com"`) || !strings.Contains(line, `{"n":1.0}`) {
		t.Errorf("the call after the sign-in: %s", line)
	}
	c.say(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"sign_in"}}`)
	if line := c.hears(`"id":2,`); !strings.Contains(line, "signed in as ada@example.com") {
		t.Errorf("sign_in after the sign-in: %s", line)
	}
}

func TestClientHearsThatTheSignInIsComplete(t *testing.T) {
	m := newMachine(t)
	c := m.connect(helloURL, initialized, callURL)
	e := c.asked()
	c.answers(e, "accept")
	openPage(t, e.Params.URL)
	c.hears(`"method":"notifications/elicitation/complete","params":{"elicitationId":"` + e.Params.ElicitationID + `"}`)
}

// A no is a no for a while: an agent in a loop must not nag.
func TestNoIsANo(t *testing.T) {
	for _, action := range []string{"decline", "cancel"} {
		t.Run(action, func(t *testing.T) {
			c := newMachine(t).connect(helloURL, initialized, callURL)
			c.answers(c.asked(), action)
			if line := c.hears(`"id":"c"`); !strings.Contains(line, "Sign-in needed") {
				t.Error(line)
			}
			c.say(strings.Replace(callURL, `"c"`, `"d"`, 1))
			for line := ""; !strings.Contains(line, `"id":"d"`); {
				if line = c.hears(`"jsonrpc"`); strings.Contains(line, "elicitation") {
					t.Errorf("after a no the client is asked again: %s", line)
				}
			}
		})
	}
}

// Who signs in elsewhere need not answer: the call goes on, and the question is
// withdrawn.
func TestQuestionIsWithdrawn(t *testing.T) {
	m := newMachine(t)
	c := m.connect(helloURL, initialized, callURL)
	e := c.asked()
	openPage(t, e.Params.URL) // without telling the client
	answered, withdrawn := false, false
	for !answered || !withdrawn { // in either order
		line := c.hears(`"jsonrpc"`)
		answered = answered || strings.Contains(line, `"id":"c"`) && strings.Contains(line, `"email":"ada@example.com"`)
		withdrawn = withdrawn || strings.Contains(line, `"method":"notifications/cancelled","params":{"requestId":`+string(e.ID))
	}
}

// Over all proxies there is one page at a time; whoever waits goes on with it.
func TestOnePageForAllProxies(t *testing.T) {
	m := newMachine(t)
	first := m.connect(helloURL, initialized, callURL)
	e := first.asked()
	second := m.connect(helloURL, initialized, callURL)
	second.say(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	for {
		line := second.hears(`"jsonrpc"`)
		if strings.Contains(line, "elicitation") {
			t.Fatal("a second page is offered while the first is open")
		}
		if strings.Contains(line, `"id":1,`) {
			break
		}
	}
	first.answers(e, "accept")
	openPage(t, e.Params.URL)
	for _, c := range []*aiClient{first, second} {
		if line := c.hears(`"id":"c"`); !strings.Contains(line, `"email":"ada@example.com"`) {
			t.Errorf("%s", line)
		}
	}
}

// The user's own login does not wait for a question that nobody answers in an AI
// client. The call goes on with what it brought.
func TestAttackUnansweredQuestionHoldsTheLogin(t *testing.T) {
	m := newMachine(t)
	c := m.connect(helloURL, initialized, callURL)
	e := c.asked()
	m.run("login")
	answered, withdrawn := false, false
	for !answered || !withdrawn { // in either order
		line := c.hears(`"jsonrpc"`)
		answered = answered || strings.Contains(line, `"id":"c"`) && strings.Contains(line, `"email":"ada@example.com"`)
		withdrawn = withdrawn || strings.Contains(line, `"method":"notifications/cancelled","params":{"requestId":`+string(e.ID))
	}
}

// A client of the modern protocol gets the question as a result and comes back.
// The server sees the call as the client first meant it.
func TestModernCallAsksForTheSignIn(t *testing.T) {
	m := newMachine(t)
	for _, test := range []struct{ name, before, want string }{
		{"first call", ``, `"params":{"name":"plain",`},
		{"retry of the server's own question", `"requestState":"S","inputResponses":{"x":{"action":"accept"}},`, `"requestState":"S","inputResponses":{"x":{"action":"accept"}},"name":"plain",`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := m.connect(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + test.before + `"name":"plain",` + metaURL + `}}`)
			var answer struct {
				Result struct {
					ResultType    string                 `json:"resultType"`
					RequestState  string                 `json:"requestState"`
					InputRequests map[string]elicitation `json:"inputRequests"`
				} `json:"result"`
			}
			if err := json.Unmarshal([]byte(c.hears(`"id":1,`)), &answer); err != nil {
				t.Fatal(err)
			}
			e, ok := answer.Result.InputRequests["mcpauth_sign_in"]
			if answer.Result.ResultType != "input_required" || !ok || e.Params.URL == "" {
				t.Fatalf("answer %+v", answer)
			}
			state, err := json.Marshal(answer.Result.RequestState)
			if err != nil {
				t.Fatal(err)
			}
			c.say(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"requestState":` + string(state) + `,"inputResponses":{"mcpauth_sign_in":{"action":"accept"}},"name":"plain",` + metaURL + `}}`)
			openPage(t, e.Params.URL)
			line := c.hears(`"id":2,`)
			if !strings.Contains(line, `"email":"ada@example.com"`) || !strings.Contains(line, test.want) || strings.Contains(line, "mcpauth_sign_in") {
				t.Errorf("the call after the sign-in: %s", line)
			}
			m.run("logout")
		})
	}
}

func TestModernNoIsANo(t *testing.T) {
	c := newMachine(t).connect(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"plain",` + metaURL + `}}`)
	state := strings.SplitN(strings.SplitN(c.hears(`"id":1,`), `"requestState":"`, 2)[1], `"`, 2)[0]
	c.say(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"requestState":"` + state + `","inputResponses":{"mcpauth_sign_in":{"action":"decline"}},"name":"plain",` + metaURL + `}}`)
	if line := c.hears(`"id":2,`); !strings.Contains(line, "Sign-in needed") {
		t.Errorf("%s", line)
	}
	c.say(`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"plain",` + metaURL + `}}`)
	if line := c.hears(`"id":3,`); !strings.Contains(line, "Sign-in needed") || strings.Contains(line, "input_required") {
		t.Errorf("%s", line)
	}
}
