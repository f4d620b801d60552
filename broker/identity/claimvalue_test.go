package identity

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

func claimsOf(t testing.TB, text string) claims {
	t.Helper()
	var c claims
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// Providers send groups and roles in many forms. What can be read is read, and of
// the rest it is known that it is there.
func TestNamesInEveryForm(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]struct {
		names string
		whole bool
	}{
		`["a","b"]`:                            {"a,b", true},
		`"a"`:                                  {"a", true},
		`"a b"`:                                {"a b", true},
		`7`:                                    {"7", true},
		`[7,"a"]`:                              {"7,a", true},
		`12345678901234567890123`:              {"12345678901234567890123", true},
		`[{"id":"7","name":"a"},{"name":"b"}]`: {"a,b", true},
		`[{"value":"a","display":"A"}]`:        {"a", true},
		`[{"value":7}]`:                        {"7", true},
		`[{"name":null,"value":"a"}]`:          {"a", true},
		`{"name":"a"}`:                         {"a", true},
		`{"b":{"3141":"corp.example.com"},"a":{}}`: {"a,b", true},
		`{"a":true,"b":false,"c":null}`:            {"a", true},
		`{"name":{"x":"y"},"value":true}`:          {"name,value", true},
		`{"0":"a","2":"b"}`:                        {"a,b", true},
		`{"3141":["a"]}`:                           {"", false},
		`{}`:                                       {"", true},
		`[]`:                                       {"", true},
		`null`:                                     {"", true},
		`""`:                                       {"", true},
		`["","a"]`:                                 {"a", true},

		// one string with a list in it
		`"[\"a\",\"b\"]"`:  {"a,b", true},
		`" [\"a\", 7] "`:   {"a,7", true},
		`"[[\"a\"]]"`:      {"", false},
		`"{\"a\":true}"`:   {"a", true},
		`"[a] team"`:       {"[a] team", true},
		`"a,b"`:            {"a,b", false},
		`"a; b"`:           {"a; b", false},
		`"a|b"`:            {"a|b", false},
		`"a\nb"`:           {"a\nb", false},
		`"CN=a,OU=b,DC=c"`: {"CN=a,OU=b,DC=c", true},
		`["a,b"]`:          {"a,b", true},

		`["a",["b"]]`:          {"a", false},
		`[["a","b"]]`:          {"", false},
		`["a",null]`:           {"a", false},
		`["a",true,"b"]`:       {"a,b", false},
		`["a",{"id":"7"},"b"]`: {"a,b", false},
		`["a",{"name":["b"]}]`: {"a", false},
		`["a",{"name":{}}]`:    {"a", false},
		`["a",{}]`:             {"a", false},
		`[7.0]`:                {"", false},
		`1e3`:                  {"", false},
		`true`:                 {"", false},
		`false`:                {"", false},
		`{"roles":["a"]}`:      {"", false},
		`{"id":"7"}`:           {"", false},
		`{"a":{},"b":"text"}`:  {"a", false},
	} {
		c := claimsOf(t, `{"sub":"ada","groups":`+value+`}`)
		u := userFrom(c, Client{})
		if got := strings.Join(u.Groups, ","); got != want.names || u.Groups == nil {
			t.Errorf("%s: %q, want %q", value, got, want.names)
		}
		warned := len(u.Warnings) == 1 && strings.HasPrefix(u.Warnings[0], "groups cannot be read")
		if gap := u.Claimed.gap("groups"); (gap == "") != want.whole || warned == want.whole {
			t.Errorf("%s: gap %q, warnings %q", value, gap, u.Warnings)
		}
	}
}

// A path that cannot be followed to its end is not a claim that is not there.
func TestPathIntoSomethingElse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{ // whether the roles are known
		`{}`:                               true,
		`{"realm_access":null}`:            true,
		`{"realm_access":{}}`:              true,
		`{"realm_access":{"roles":["a"]}}`: true,
		`{"realm_access":["a"]}`:           false,
		`{"realm_access":"a"}`:             false,
		`{"realm_access":{"roles":true}}`:  false,
	} {
		u := userFrom(claimsOf(t, text).mapped(Client{RolesClaim: "realm_access.roles"}), Client{})
		if got := u.Claimed.gap("roles") == ""; got != want {
			t.Errorf("%s: known %v, roles %q", text, got, u.Roles)
		}
	}
}

func TestEmailInEveryForm(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]struct {
		email string
		whole bool
	}{
		`"a@x.org"`:             {"a@x.org", true},
		`["a@x.org","b@x.org"]`: {"a@x.org", true},
		`["a@x.org",7]`:         {"a@x.org", true},
		`[]`:                    {"", true},
		`""`:                    {"", true},
		`null`:                  {"", true},
		`[null,"a@x.org"]`:      {"", false},
		`[["a@x.org"]]`:         {"", false},
		`{"value":"a@x.org"}`:   {"", false},
		`7`:                     {"", false},
		`true`:                  {"", false},
	} {
		u := userFrom(claimsOf(t, `{"sub":"ada","email_verified":true,"email":`+value+`}`), Client{})
		if u.Email != want.email || (u.Claimed.gap("email") == "") != want.whole || u.EmailCounts != (want.email != "") {
			t.Errorf("%s: %+v", value, u)
		}
	}
}

// Only a yes of the same document makes an address count.
func TestAttackAddressThatNobodyVerified(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]struct{ counts, told bool }{ // told: the server reads the address
		`,"email_verified":true`:    {true, true},
		`,"email_verified":"true"`:  {true, true},
		``:                          {false, true},
		`,"email_verified":null`:    {false, true},
		`,"email_verified":false`:   {},
		`,"email_verified":"false"`: {},
		`,"email_verified":"False"`: {},
		`,"email_verified":"True"`:  {},
		`,"email_verified":"TRUE "`: {},
		`,"email_verified":0`:       {},
		`,"email_verified":1`:       {},
		`,"email_verified":"no"`:    {},
		`,"email_verified":""`:      {},
		`,"email_verified":[true]`:  {},
		`,"email_verified":[false]`: {},
		`,"email_verified":{}`:      {},
		`,"Email_Verified":true`:    {false, true},
	} {
		c := claimsOf(t, `{"sub":"ada","email":"ada@example.com"`+said+`}`)
		u := userFrom(c, Client{})
		if u.EmailCounts != want.counts || (u.Email != "") != want.told || u.Claimed.Email == "" {
			t.Errorf("%s: %+v", said, u)
		}
		if u := userFrom(c, Client{TrustEmail: true}); !u.EmailCounts || u.Email == "" {
			t.Errorf("%s, trusted: %+v", said, u)
		}
	}
}

func TestAddressFromTwoDocuments(t *testing.T) {
	t.Parallel()
	const address = "ada@example.com"
	for name, test := range map[string]struct {
		id, info map[string]any // nil takes a member away
		counts   bool
	}{
		"the ID token alone":                  {nil, nil, true},
		"userinfo alone":                      {map[string]any{"email": nil, "email_verified": nil}, nil, true},
		"userinfo verifies the same":          {map[string]any{"email_verified": nil}, nil, true},
		"verified here, the address there":    {map[string]any{"email": nil}, map[string]any{"email_verified": nil}, false},
		"a no here, the address there":        {map[string]any{"email": nil, "email_verified": false}, map[string]any{"email_verified": nil}, false},
		"the address here, a no there":        {map[string]any{"email_verified": nil}, map[string]any{"email_verified": false}, false},
		"the address here, a yes alone there": {map[string]any{"email_verified": nil}, map[string]any{"email": nil}, false},
		"nobody says":                         {map[string]any{"email_verified": nil}, map[string]any{"email_verified": nil}, false},
		"a no here, a yes there":              {map[string]any{"email_verified": "False"}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			w.idp.SetFault(edits(map[string]map[string]any{"id_token": test.id, "userinfo": test.info}))
			user := w.signedIn(t)
			if user.EmailCounts != test.counts || user.Claimed.Email != address {
				t.Errorf("counts %v: %+v", user.EmailCounts, user)
			}
			if status, err := w.accounts.Status(t.Context(), w.client); err != nil || status.User.EmailCounts != test.counts {
				t.Errorf("stored: %+v, %v", status.User, err)
			}
		})
	}
}

// edits sets members of the documents of endpoints; nil takes one away.
func edits(members map[string]map[string]any) func(string) demoidp.Fault {
	return func(endpoint string) demoidp.Fault {
		return demoidp.Fault{Edit: func(m map[string]any) {
			for name, value := range members[endpoint] {
				if value == nil {
					delete(m, name)
				} else {
					m[name] = value
				}
			}
		}}
	}
}

// A refresh may take the trust in an address away without repeating it.
func TestAttackRefreshKeepsNoAddressThatIsVerifiedNoMore(t *testing.T) {
	t.Parallel()
	before := &record{user: userFrom(claimsOf(t, `{"sub":"ada","email":"ada@example.com","email_verified":true}`), Client{})}
	for text, want := range map[string]bool{
		`{}`:                          true,
		`{"email_verified":true}`:     true,
		`{"email_verified":false}`:    false,
		`{"email_verified":"no"}`:     false,
		`{"email":"ada@example.com"}`: true,
		`{"email":"ada@example.com","email_verified":0}`:    false,
		`{"email":"eve@example.com"}`:                       false,
		`{"email":"eve@example.com","email_verified":true}`: true,
		`{"email":{"address":"eve@example.com"}}`:           false,
	} {
		if u := renewedUser(before.user, before.fromUserinfo, claimsOf(t, text), Client{}); u.EmailCounts != want {
			t.Errorf("%s: %+v", text, u)
		}
	}
}

// Nobody knows which groups there were when userinfo, which had them, gave nothing.
func TestUserinfoThatGivesNothingLeavesAGap(t *testing.T) {
	t.Parallel()
	o := signsInAlone()
	o.SlimIDToken = true
	w := newWorld(t, o)
	w.idp.SetFault(fails("userinfo", 1, demoidp.Fault{Status: 500}))
	user := w.signedIn(t)
	for _, claim := range []string{"groups", "roles", "email"} {
		if user.Claimed.gap(claim) == "" {
			t.Errorf("%s: no gap in %+v", claim, user.Claimed)
		}
	}
	if !slices.ContainsFunc(user.Warnings, func(text string) bool { return strings.HasPrefix(text, "groups may be missing") }) {
		t.Errorf("%q", user.Warnings)
	}
	w.clock.advance(2 * time.Hour)
	becomes(t, w.running(t, w.accounts), "what userinfo has", func(got Snapshot) bool {
		return got.State == SignedIn && len(got.User.Groups) == 2 && len(got.User.Claimed.Gaps) == 0 && got.User.EmailCounts
	})
}
