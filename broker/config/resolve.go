package config

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/identity/address"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/keychain"
)

// Origin says where the value of a field comes from, for `mcpauth profile show`.
type Origin string

// The origins, the strongest first.
const (
	OriginFlag        Origin = "flag"
	OriginEnvironment Origin = "environment"
	OriginProfile     Origin = "profile" // [profiles.NAME]
	OriginFile        Origin = "file"    // [defaults]
	OriginPreset      Origin = "preset"  // what is known of this kind of provider
	OriginDefault     Origin = "default" // built in
)

// Overrides are what the flags of a command say. An empty field was not given.
type Overrides struct {
	Profile      string // --profile
	Issuer       string // --issuer
	ClientID     string // --client-id
	Scopes       []string
	RedirectURIs []string
	Audience     string
	Resource     string
	Provider     string
	Command      []string
	Cwd          string
	UserContext  string

	Grant, ClientSecretFile, IdleLimit, AbsoluteLimit string
	GroupsClaim, RolesClaim, MetadataURL              string
	TrustEmail                                        *bool
	CAFile, Proxy                                     string

	// Serves says that a server is started: what an AI client puts into the
	// environment is meant for that server.
	Serves bool
}

func (o Overrides) profile() Profile {
	return Profile{
		Issuer: IssuerOf(o.Issuer), ClientID: o.ClientID, Scopes: o.Scopes, RedirectURIs: o.RedirectURIs,
		Audience: o.Audience, Resource: o.Resource, Provider: KindOf(o.Provider, IssuerOf(o.Issuer)),
		Command: o.Command, Cwd: o.Cwd, UserContext: o.UserContext,
		GroupsClaim: o.GroupsClaim, RolesClaim: o.RolesClaim, TrustEmail: o.TrustEmail, MetadataURL: o.MetadataURL,
		Grant: o.Grant, ClientSecretFile: o.ClientSecretFile, IdleLimit: o.IdleLimit, AbsoluteLimit: o.AbsoluteLimit,
		CAFile: o.CAFile, Proxy: o.Proxy,
	}
}

// Resolved is one profile with all layers put together.
type Resolved struct {
	Name string
	Profile
	// Secret is the client secret of OKTA_CLIENT_SECRET. Where it is set,
	// ClientSecret is empty; otherwise ClientSecret may name one in the keychain.
	Secret keychain.Secret
	// Origin tells by toml name where each set field comes from.
	Origin map[string]Origin
	// Remembered says that the configuration file has this profile. A login
	// that succeeds without may add [Resolved.Explicit] to the file.
	Remembered bool
}

// Host is where one signs in, for people: the issuer's host, without the www.
func (r Resolved) Host() string {
	u, err := url.Parse(r.Issuer)
	if err != nil || u.Host == "" {
		return text.CleanLine(r.Issuer)
	}
	return text.CleanLine(strings.TrimPrefix(u.Host, "www."))
}

// LoginCommand is what signs in with a profile, with more flags. One that the file
// does not have yet is spelled out.
func (r Resolved) LoginCommand(flags ...string) string {
	words := append([]string{"mcpauth login"}, flags...)
	words = append(words, "--profile", text.QuoteWord(r.Name))
	if !r.Remembered {
		words = append(words, "--issuer", text.QuoteWord(r.Issuer), "--client-id", text.QuoteWord(r.ClientID))
	}
	return strings.Join(words, " ")
}

// LoginProblem is [problem.Of] for a sign-in with this profile; again is the command
// that tries it again.
func (r Resolved) LoginProblem(err error, again string) *problem.Problem {
	p := problem.Of(err)
	for i, hint := range p.Hints {
		if rest, ok := strings.CutPrefix(hint, "mcpauth login"); ok {
			p.Hints[i] = again + rest
		}
	}
	var refused *identity.ProviderError
	if errors.As(err, &refused) && refused.Code == "invalid_scope" {
		p.Hints = append(p.Hints, fmt.Sprintf("profile %s asks for: %s", r.Name, strings.Join(r.Scopes, " ")))
	}
	return p
}

// Explicit returns the fields that the user chose for this profile, by flag,
// environment or in its table: what a login should remember. Built-in values
// and [defaults] are left out, so that a later change of these still counts.
func (r Resolved) Explicit() Profile {
	p := r.Profile
	fields := reflect.ValueOf(&p).Elem()
	for i := range fields.NumField() {
		switch r.Origin[fieldName(fields.Type().Field(i))] {
		case OriginFile, OriginPreset, OriginDefault:
			fields.Field(i).SetZero()
		}
	}
	return p
}

// Client is the profile as identity wants to know it, without a secret of the
// keychain or of a file.
func (r Resolved) Client() identity.Client {
	c := identity.Client{
		Profile: r.Name, Issuer: r.Issuer, ClientID: r.ClientID, ClientSecret: r.Secret,
		Scopes: r.Scopes, RedirectURIs: r.RedirectURIs, Audience: r.Audience, Resource: r.Resource,
		Offline: identity.Offline(r.OfflineAccess), GroupsClaim: r.GroupsClaim, RolesClaim: r.RolesClaim,
		TrustEmail: r.TrustEmail != nil && *r.TrustEmail, MetadataURL: r.MetadataURL,
		CAFile: r.CAFile, Proxy: r.Proxy,
	}
	c.Machine = r.Grant == GrantMachine
	c.IdleLimit, _ = text.ParseSpan(r.IdleLimit) // checked when it was read, as the next; "" is none
	c.AbsoluteLimit, _ = text.ParseSpan(r.AbsoluteLimit)
	if preset, known := KindNamed(r.Provider); known && r.Origin["scopes"] == OriginPreset {
		c.Scopes, c.OptionalScopes = preset.Scopes, preset.Optional
		if c.Machine {
			c.Scopes, c.OptionalScopes = nil, nil // those of a preset are about a person
		}
	}
	return c
}

// Redirects are the redirect URIs to register for the profile, in the order in which
// they are tried. The error is a *problem.Problem.
func (r Resolved) Redirects() ([]string, error) {
	states, err := identity.Redirects(r.Client())
	if err != nil {
		return nil, problem.Of(err)
	}
	uris := make([]string, 0, len(states))
	for _, s := range states {
		uris = append(uris, s.URI)
	}
	return uris, nil
}

// Resolve chooses a profile and puts its layers together: flags, environment
// (MCPAUTH_*, then for the profile okta the ancestor's OKTA_*), the profile,
// [defaults], built-in values. env is os.Getenv; nil means no environment.
//
// A client secret stays with the client it was configured for: where a stronger
// layer names another issuer or client_id, it is left out. Errors are *problem.Problem.
func (c File) Resolve(o Overrides, env func(string) string) (Resolved, error) {
	if env == nil {
		env = func(string) string { return "" }
	}
	okta := readOkta(env)
	if o.Serves && len(c.Profiles) > 0 {
		okta = oktaEnv{}
	}
	name, err := c.choose(o, env, okta)
	if err != nil {
		return Resolved{}, err
	}
	own, remembered := c.Profiles[name]
	layers := []layer{
		{origin: OriginFlag, values: o.profile(), sources: flagNames},
		{origin: OriginEnvironment, values: envProfile(env), sources: envNames},
	}
	if name == oktaName {
		layers = append(layers, okta.layer(own))
	}
	layers = append(layers,
		layer{origin: OriginProfile, values: own},
		layer{origin: OriginFile, values: c.Defaults})
	if !o.Serves { // where one is, they may be the server's, and work all the same
		layers = append(layers, networkLayer(env, layers))
	}
	for _, l := range layers {
		if err := l.check(); err != nil {
			return Resolved{}, err
		}
	}
	layers = append(layers, presetLayer(layers), layer{origin: OriginDefault, values: builtIn()})
	r := Resolved{Name: name, Remembered: remembered}
	r.Profile, r.Origin = merge(layers)
	r.takeSecret(layers)
	return r, c.checkComplete(r)
}

// choose returns the name of the profile that is meant: the one asked for, the
// one of a whole client (issuer and client_id) given by flags, the default, the
// only one, or one that the environment makes.
func (c File) choose(o Overrides, env func(string) string, okta oktaEnv) (string, error) {
	given, _ := merge([]layer{{values: o.profile()}, {values: envProfile(env)}})
	for _, asked := range []struct{ source, name string }{{"--profile", o.Profile}, {"MCPAUTH_PROFILE", env("MCPAUTH_PROFILE")}} {
		if asked.name == "" {
			continue
		}
		if err := checkProfileName(asked.name); err != nil {
			return "", &problem.Problem{Msg: fmt.Sprintf("%s %v", asked.source, err), Code: problem.ExitUsage, Err: err}
		}
		if c.knows(asked.name, okta) || given.Issuer != "" || given.ClientID != "" {
			return asked.name, nil
		}
		return "", UnknownProfile(asked.name, c.namesWith(okta))
	}
	switch {
	case o.Issuer != "" && o.ClientID != "":
		return c.nameFor(given.Issuer, o.ClientID), nil
	case c.DefaultProfile != "":
		if c.knows(c.DefaultProfile, okta) {
			return c.DefaultProfile, nil
		}
		p := UnknownProfile(c.DefaultProfile, c.namesWith(okta))
		p.Msg = fmt.Sprintf("default_profile in %s: %s", c.path, p.Msg)
		return "", p
	case len(c.Profiles) == 1:
		return c.ProfileNames()[0], nil
	case len(c.Profiles) > 1:
		return "", noDefault(c.ProfileNames())
	case okta.present():
		return oktaName, nil
	case given.Issuer != "":
		return c.nameFor(given.Issuer, given.ClientID), nil
	}
	return "", c.noProfile()
}

func (c File) knows(name string, okta oktaEnv) bool {
	_, ok := c.Profiles[name]
	return ok || name == oktaName && okta.present()
}

// NamesIn returns the names of the profiles that there are in an environment.
func (c File) NamesIn(env func(string) string) []string { return c.namesWith(readOkta(env)) }

func (c File) namesWith(okta oktaEnv) []string {
	names := c.ProfileNames()
	if _, ok := c.Profiles[oktaName]; !ok && okta.present() {
		names = append(names, oktaName)
	}
	return names
}

// nameFor returns the file's profile of this very client, or a new name after
// the issuer's host that no other profile has: tenants may share a host.
func (c File) nameFor(issuer, clientID string) string {
	for _, name := range c.ProfileNames() {
		if p := c.Profiles[name]; p.Issuer == issuer && p.ClientID == clientID {
			return name
		}
	}
	base := hostName(issuer)
	name := base
	for n := 2; c.takenName(name); n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

// takenName compares without case, as the file does (see checkValues).
func (c File) takenName(name string) bool {
	for taken := range c.Profiles {
		if strings.EqualFold(taken, name) {
			return true
		}
	}
	return false
}

// hostName makes a profile name of an issuer: login.example.com becomes
// login-example-com, this machine becomes local.
func hostName(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil || address.IsThisMachine(u.Hostname()) {
		return "local"
	}
	name := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(u.Hostname()))
	name = strings.Trim(name[:min(len(name), 56)], "-") // leaves room for "-2"
	if name == "" {
		return "local"
	}
	return name
}

func (c File) checkComplete(r Resolved) error {
	missing := func(field, flag, variable string) error {
		p := &problem.Problem{
			Msg:   fmt.Sprintf("profile %s has no %s", r.Name, field),
			Hints: []string{fmt.Sprintf("give it with %s or the variable %s", flag, variable)},
			Code:  problem.ExitUsage,
		}
		if r.Remembered {
			p.Hints = append(p.Hints, fmt.Sprintf("or add %s to [profiles.%s] in %s", field, edit.QuoteKey(r.Name), c.path))
		}
		return p
	}
	variables := envNames
	if r.Name == oktaName {
		variables = oktaNames
	}
	switch {
	case r.Issuer == "":
		return missing("issuer", "--issuer URL", variables["issuer"])
	case r.ClientID == "":
		return missing("client_id", "--client-id ID", variables["client_id"])
	}
	return nil
}

func UnknownProfile(name string, known []string) *problem.Problem {
	p := &problem.Problem{Msg: fmt.Sprintf("there is no profile %q", name), Code: problem.ExitUsage}
	if len(known) == 0 {
		p.Hints = []string{"make one: mcpauth login --profile " + name + " --issuer URL --client-id ID"}
		return p
	}
	if near := text.Nearest(name, known); near != "" {
		p.Msg += "; did you mean " + near + "?"
	}
	p.Hints = []string{"the profiles are: " + strings.Join(known, ", "), "mcpauth profile list"}
	return p
}

func noDefault(names []string) *problem.Problem {
	return &problem.Problem{
		Msg:   fmt.Sprintf("there are %d profiles and none is the default: %s", len(names), strings.Join(names, ", ")),
		Hints: []string{"mcpauth profile use " + names[0], "or name one: --profile " + names[0]},
		Code:  problem.ExitUsage,
	}
}

// errNoProfile is the cause of the problem that no profile is configured at all.
var errNoProfile = errors.New("no profile is configured")

// NoProfile reports whether an error of [File.Resolve] says that no profile is
// configured at all, as on the first day.
func NoProfile(err error) bool { return errors.Is(err, errNoProfile) }

// noProfile names the file, because another one may have been meant.
func (c File) noProfile() *problem.Problem {
	where := ""
	if c.path != "" {
		where = " in " + c.path
	}
	return &problem.Problem{
		Err: errNoProfile,
		Msg: "there is no profile yet" + where + ", so mcpauth does not know where to sign in",
		Hints: []string{
			"step by step, with what to register at the provider: mcpauth init",
			"sign in at any OpenID provider: mcpauth login --issuer https://login.example.com --client-id ID",
			"with Okta: set OKTA_ORG_URL and OKTA_CLIENT_ID, then mcpauth login",
			"to look around without a provider: mcpauth demo",
		},
		Code: problem.ExitUsage,
	}
}

// Draft puts a profile together that is not in the file yet, with the name that it
// would get: name, or one after the issuer's host. An issuer alone is enough. The
// error is a *problem.Problem.
func (c File) Draft(name string, p Profile) (Resolved, error) {
	p.Issuer = IssuerOf(p.Issuer)
	if p.ClientID == "" {
		p.ClientID = "not-known-yet"
	}
	if field, err := p.check(); err != nil {
		return Resolved{}, &problem.Problem{Msg: field + " " + err.Error(), Code: problem.ExitUsage, Err: err}
	}
	if name == "" {
		name = c.nameFor(p.Issuer, p.ClientID)
	}
	draft := File{Profiles: map[string]Profile{name: p}, Defaults: c.Defaults, path: c.path}
	r, err := draft.Resolve(Overrides{Profile: name}, nil)
	r.Remembered = c.takenName(name)
	return r, err
}
