package identity

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

func TestMapping(t *testing.T) {
	t.Parallel()
	const said = `{"groups":["wrong"],"https://example.com/roles":["url"],"realm_access":{"roles":["realm"]},
		"resource_access":{"my.client":{"roles":["dotted"]}},"memberOf":"one","deep":{"a":{"b":"text"}},"number":7}`
	var c claims
	if err := json.Unmarshal([]byte(said), &c); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"":                                {"wrong"},
		"https://example.com/roles":       {"url"},
		"realm_access.roles":              {"realm"},
		"resource_access.my.client.roles": {"dotted"},
		"memberOf":                        {"one"},
		"deep.a.b":                        {"text"},
		"deep.a":                          {},
		"number":                          {"7"},
		"nowhere":                         {},
		"realm_access.":                   {},
		".roles":                          {},
	} {
		u := userFrom(c.mapped(Client{GroupsClaim: path}), Client{})
		if !slices.Equal(u.Groups, want) {
			t.Errorf("%q: %q, want %q", path, u.Groups, want)
		}
	}
	if u := userFrom(c.mapped(Client{GroupsClaim: "memberOf", RolesClaim: "realm_access.roles"}), Client{}); !slices.Equal(u.Roles, []string{"realm"}) {
		t.Errorf("%q", u.Roles)
	}
}

func FuzzClaimPath(f *testing.F) {
	f.Add(`{"a":{"b.c":{"d":"x"}}}`, "a.b.c.d")
	f.Add(`{"a":null}`, "a.b")
	f.Fuzz(func(t *testing.T, text, path string) {
		var c claims
		if json.Unmarshal([]byte(text), &c) != nil {
			return
		}
		if value, there := c[path]; there && string(at(c, path)) != string(value) {
			t.Errorf("%q is %s", path, value)
		}
	})
}

// One mapping for the ID token, for userinfo and for what a refresh brings.
func TestMappingOfAllSources(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"id_token", "userinfo"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			o := signsInAlone()
			o.SlimIDToken = source == "userinfo"
			w := newWorld(t, o)
			w.client.RolesClaim = "realm_access.roles"
			roles := []string{"first"}
			w.idp.SetFault(func(endpoint string) demoidp.Fault {
				if endpoint != source {
					return demoidp.Fault{}
				}
				return demoidp.Fault{Edit: func(c map[string]any) { c["realm_access"] = map[string]any{"roles": roles} }}
			})
			if user := w.signedIn(t); !slices.Equal(user.Roles, []string{"first"}) {
				t.Errorf("sign-in: %q", user.Roles)
			}
			roles = []string{"second"}
			w.clock.advance(2 * time.Hour)
			becomes(t, w.running(t, w.accounts), "new roles", func(got Snapshot) bool {
				return got.State == SignedIn && slices.Equal(got.User.Roles, []string{"second"})
			})
		})
	}
}

// Entra says that there are too many groups. None of them may be guessed, and
// nobody may take the empty list for "in no group".
func TestGroupOverage(t *testing.T) {
	t.Parallel()
	for name, flag := range map[string]map[string]any{
		"by reference": {"_claim_names": map[string]any{"groups": "src1"},
			"_claim_sources": map[string]any{"src1": map[string]any{"endpoint": "https://graph.windows.net/x/getMemberObjects"}}},
		"by flag": {"hasgroups": true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, signsInAlone())
			without := func(endpoint string) demoidp.Fault {
				return demoidp.Fault{Edit: func(c map[string]any) {
					delete(c, "groups")
					for claim, value := range flag {
						if endpoint == "id_token" {
							c[claim] = value
						}
					}
				}}
			}
			w.idp.SetFault(func(endpoint string) demoidp.Fault {
				if endpoint == "id_token" || endpoint == "userinfo" {
					return without(endpoint)
				}
				return demoidp.Fault{}
			})
			user := w.signedIn(t)
			if len(user.Groups) != 0 || len(user.Warnings) != 1 || !strings.HasPrefix(user.Warnings[0], "groups are left out") {
				t.Errorf("%q, %q", user.Groups, user.Warnings)
			}
			if status, _ := w.accounts.Status(t.Context(), w.client); len(status.User.Warnings) != 1 {
				t.Errorf("%+v", status)
			}
			w.idp.SetFault(fails("id_token", 1, without("id_token"))) // userinfo has them
			if user := w.signedIn(t); len(user.Groups) != 2 || len(user.Warnings) != 0 {
				t.Errorf("%q, %q", user.Groups, user.Warnings)
			}
		})
	}
}

func TestAccessTokenForUs(t *testing.T) {
	t.Parallel()
	type fault = demoidp.Fault
	edit := func(change func(map[string]any)) fault {
		return fault{Edit: func(c map[string]any) { c["groups"] = []string{"from-access"}; change(c) }}
	}
	nothing := func(map[string]any) {}
	signed := func(how demoidp.Signature) fault {
		f := edit(nothing)
		f.Signature = how
		return f
	}
	for name, test := range map[string]struct {
		audience string
		fault    fault
		groups   []string
		unread   bool
	}{
		"ours":                  {"https://orders.example.com", edit(nothing), []string{"from-access"}, false},
		"for this client":       {"", edit(func(c map[string]any) { c["aud"] = demoidp.DefaultClientID }), []string{"from-access"}, false},
		"sub is a login name":   {"https://orders.example.com", edit(func(c map[string]any) { c["uid"], c["sub"] = "ada", "ada@example.com" }), []string{"from-access"}, false},
		"somebody else's":       {"https://orders.example.com", edit(func(c map[string]any) { c["sub"] = "eve" }), []string{}, false},
		"for others":            {"", edit(nothing), []string{}, false},
		"for others, forged":    {"", fault{Signature: demoidp.ForeignKey}, []string{}, false},
		"of another issuer":     {"https://orders.example.com", edit(func(c map[string]any) { c["iss"] = "https://sts.example.com" }), []string{}, false},
		"forged":                {"https://orders.example.com", signed(demoidp.ForeignKey), []string{}, true},
		"not signed":            {"https://orders.example.com", signed(demoidp.AlgNone), []string{}, true},
		"signed with our key":   {"https://orders.example.com", signed(demoidp.HS256WithPublicKey), []string{}, true},
		"with an unknown key":   {"https://orders.example.com", signed(demoidp.UnknownKid), []string{}, true},
		"over before its start": {"https://orders.example.com", edit(func(c map[string]any) { c["exp"] = 1 }), []string{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := signsInAlone()
			o.SlimIDToken = true
			w := newWorld(t, o)
			w.client.Audience = test.audience
			w.idp.SetFault(func(endpoint string) demoidp.Fault {
				switch endpoint {
				case "access_token":
					return test.fault
				case "userinfo":
					return fault{Edit: func(c map[string]any) { delete(c, "groups") }}
				}
				return fault{}
			})
			user, _, err := w.login(t)
			if err != nil || !slices.Equal(user.Groups, test.groups) {
				t.Errorf("%q, %v", user.Groups, err)
			}
			if unread := user.Claimed.gap("groups") != ""; unread != test.unread {
				t.Errorf("gaps: %+v", user.Claimed.Gaps)
			}
		})
	}
}

// Somebody who loses a group in the access token alone loses it here.
func TestRefreshedAccessToken(t *testing.T) {
	t.Parallel()
	o := signsInAlone()
	o.SlimIDToken = true
	w := newWorld(t, o)
	w.client.Audience = "https://orders.example.com"
	groups := []string{"staff", "admins"}
	w.idp.SetFault(func(endpoint string) demoidp.Fault {
		switch endpoint {
		case "access_token":
			return demoidp.Fault{Edit: func(c map[string]any) { c["groups"] = groups }}
		case "refresh_token":
			return demoidp.Fault{Edit: func(doc map[string]any) { delete(doc, "id_token") }}
		}
		return demoidp.Fault{}
	})
	if user := w.signedIn(t); !slices.Equal(user.Groups, groups) {
		t.Errorf("%q", user.Groups)
	}
	groups = []string{"staff"}
	w.clock.advance(2 * time.Hour)
	becomes(t, w.running(t, w.accounts), "fewer groups", func(got Snapshot) bool {
		return got.State == SignedIn && slices.Equal(got.User.Groups, []string{"staff"})
	})
}
