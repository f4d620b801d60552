package broker

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/identity"
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
	GroupsClaim, RolesClaim                           string

	bound Binding // of the working directory; see Broker.Resolve
}

func (o Overrides) profile() Profile {
	return Profile{
		Issuer: o.Issuer, ClientID: o.ClientID, Scopes: o.Scopes, RedirectURIs: o.RedirectURIs,
		Audience: o.Audience, Resource: o.Resource, Provider: o.Provider, Command: o.Command, Cwd: o.Cwd, UserContext: o.UserContext,
		GroupsClaim: o.GroupsClaim, RolesClaim: o.RolesClaim,
		Grant: o.Grant, ClientSecretFile: o.ClientSecretFile, IdleLimit: o.IdleLimit, AbsoluteLimit: o.AbsoluteLimit,
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
	// Bound is the folder whose binding chose the profile, or empty.
	Bound string
}

// Host is where one signs in, for people: the issuer's host, without the www.
func (r Resolved) Host() string {
	u, err := url.Parse(r.Issuer)
	if err != nil || u.Host == "" {
		return CleanLine(r.Issuer)
	}
	return CleanLine(strings.TrimPrefix(u.Host, "www."))
}

// Explicit returns the fields that somebody chose for this profile, by flag,
// environment or in its table: what is to be remembered of it. Built-in values
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

// client is the profile as identity wants to know it, without a secret of the
// keychain or of a file.
func (r Resolved) client() identity.Client {
	c := identity.Client{
		Profile: r.Name, Issuer: r.Issuer, ClientID: r.ClientID, ClientSecret: r.Secret,
		Scopes: r.Scopes, RedirectURIs: r.RedirectURIs, Audience: r.Audience, Resource: r.Resource,
		Offline: identity.Offline(r.OfflineAccess), GroupsClaim: r.GroupsClaim, RolesClaim: r.RolesClaim,
	}
	c.Machine = r.Grant == grantMachine
	c.IdleLimit, _ = parseLimit(r.IdleLimit) // checked when it was read, as the next; "" is none
	c.AbsoluteLimit, _ = parseLimit(r.AbsoluteLimit)
	if preset, known := identity.PresetNamed(r.Provider); known && r.Origin["scopes"] == OriginPreset {
		c.Scopes, c.OptionalScopes = preset.Scopes, preset.Optional
		if c.Machine {
			c.Scopes, c.OptionalScopes = nil, nil // those of a preset are about a person
		}
	}
	return c
}

// Resolve chooses a profile and puts its layers together: flags, environment
// (MCPAUTH_*, then for the profile okta the ancestor's OKTA_*), the profile,
// [defaults], built-in values. env is os.Getenv; nil means no environment.
//
// A client secret stays with the client it was configured for: where a stronger
// layer names another issuer or client_id, it is left out. Errors are *Problem.
func (c Config) Resolve(o Overrides, env func(string) string) (Resolved, error) {
	if env == nil {
		env = func(string) string { return "" }
	}
	okta := readOkta(env)
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
	for _, l := range layers {
		if err := l.check(); err != nil {
			return Resolved{}, err
		}
	}
	layers = append(layers, presetLayer(layers), layer{origin: OriginDefault, values: builtIn()})
	r := Resolved{Name: name, Remembered: remembered, Bound: o.boundBy(env)}
	r.Profile, r.Origin = merge(layers)
	r.takeSecret(layers)
	return r, c.checkComplete(r)
}

// choose returns the name of the profile that is meant: the one asked for, the
// one of a whole client (issuer and client_id) given by flags, the default, the
// only one, or one that the environment makes.
func (c Config) choose(o Overrides, env func(string) string, okta oktaEnv) (string, error) {
	given, _ := merge([]layer{{values: o.profile()}, {values: envProfile(env)}})
	for _, asked := range []struct{ source, name string }{{"--profile", o.Profile}, {"MCPAUTH_PROFILE", env("MCPAUTH_PROFILE")}} {
		if asked.name == "" {
			continue
		}
		if err := checkProfileName(asked.name); err != nil {
			return "", &Problem{Msg: fmt.Sprintf("%s %v", asked.source, err), Code: ExitUsage, Err: err}
		}
		if c.knows(asked.name, okta) || given.Issuer != "" || given.ClientID != "" {
			return asked.name, nil
		}
		return "", unknownProfile(asked.name, c.namesWith(okta))
	}
	switch {
	case o.Issuer != "" && o.ClientID != "":
		return c.nameFor(o.Issuer, o.ClientID), nil
	case o.bound.Profile != "":
		if c.knows(o.bound.Profile, okta) {
			return o.bound.Profile, nil
		}
		p := unknownProfile(o.bound.Profile, c.namesWith(okta))
		p.Msg = fmt.Sprintf("%s is bound to it: %s", o.bound.Dir, p.Msg)
		p.Hints = append(p.Hints, "mcpauth profile unbind "+quoteWord(o.bound.Dir))
		return "", p
	case c.DefaultProfile != "":
		if c.knows(c.DefaultProfile, okta) {
			return c.DefaultProfile, nil
		}
		p := unknownProfile(c.DefaultProfile, c.namesWith(okta))
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

// boundBy is the folder whose binding chooses the profile, since nothing stronger
// does. It follows the order of choose.
func (o Overrides) boundBy(env func(string) string) string {
	if o.Profile != "" || env("MCPAUTH_PROFILE") != "" || o.Issuer != "" && o.ClientID != "" {
		return ""
	}
	return o.bound.Dir
}

func (c Config) knows(name string, okta oktaEnv) bool {
	_, ok := c.Profiles[name]
	return ok || name == oktaName && okta.present()
}

func (c Config) namesWith(okta oktaEnv) []string {
	names := c.ProfileNames()
	if _, ok := c.Profiles[oktaName]; !ok && okta.present() {
		names = append(names, oktaName)
	}
	return names
}

// nameFor returns the file's profile of this very client, or a new name after
// the issuer's host that no other profile has: tenants may share a host.
func (c Config) nameFor(issuer, clientID string) string {
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
func (c Config) takenName(name string) bool {
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
	if err != nil || isLoopback(u.Hostname()) {
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

func (c Config) checkComplete(r Resolved) error {
	missing := func(field, flag, variable string) error {
		p := &Problem{
			Msg:   fmt.Sprintf("profile %s has no %s", r.Name, field),
			Hints: []string{fmt.Sprintf("give it with %s or the variable %s", flag, variable)},
			Code:  ExitUsage,
		}
		if r.Remembered {
			p.Hints = append(p.Hints, fmt.Sprintf("or add %s to [profiles.%s] in %s", field, clients.QuoteKey(r.Name), c.path))
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

func unknownProfile(name string, known []string) *Problem {
	p := &Problem{Msg: fmt.Sprintf("there is no profile %q", name), Code: ExitUsage}
	if len(known) == 0 {
		p.Hints = []string{"make one: mcpauth login --profile " + name + " --issuer URL --client-id ID"}
		return p
	}
	p.Msg += didYouMean(name, known)
	p.Hints = []string{"the profiles are: " + strings.Join(known, ", "), "mcpauth profile list"}
	return p
}

func noDefault(names []string) *Problem {
	return &Problem{
		Msg:   fmt.Sprintf("there are %d profiles and none is the default: %s", len(names), strings.Join(names, ", ")),
		Hints: []string{"mcpauth profile use " + names[0], "or name one: --profile " + names[0]},
		Code:  ExitUsage,
	}
}

// errNoProfile is the cause of the problem that no profile is configured at all.
var errNoProfile = errors.New("no profile is configured")

// NoProfile reports whether an error of [Broker.Resolve] says that no profile is
// configured at all, as on the first day.
func NoProfile(err error) bool { return errors.Is(err, errNoProfile) }

// noProfile names the file, because another one may have been meant.
func (c Config) noProfile() *Problem {
	where := ""
	if c.path != "" {
		where = " in " + c.path
	}
	return &Problem{
		Err: errNoProfile,
		Msg: "there is no profile yet" + where + ", so mcpauth does not know where to sign in",
		Hints: []string{
			"step by step, with what to register at the provider: mcpauth init",
			"sign in at any OpenID provider: mcpauth login --issuer https://login.example.com --client-id ID",
			"with Okta: set OKTA_ORG_URL and OKTA_CLIENT_ID, then mcpauth login",
			"to look around without a provider: mcpauth demo",
		},
		Code: ExitUsage,
	}
}
