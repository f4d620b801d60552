package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
)

// layer is one source of values.
type layer struct {
	origin  Origin
	values  Profile
	sources map[string]string // names each field for errors; nil: checked already
	secret  keychain.Secret   // of OKTA_CLIENT_SECRET
}

func (l layer) hasSecret() bool {
	return l.values.ClientSecret != "" || l.values.ClientSecretFile != "" || !l.secret.IsZero()
}

var flagNames = map[string]string{
	"issuer": "--issuer", "client_id": "--client-id", "scopes": "--scope", "redirect_uris": "--redirect-uri",
	"audience": "--audience", "resource": "--resource", "provider": "--provider", "command": "the command", "cwd": "--cwd", "user_context": "--user-context",
	"groups_claim": "--groups-claim", "roles_claim": "--roles-claim", "trust_email": "--trust-email", "metadata_url": "--metadata-url", "grant": "--grant", "client_secret_file": "--client-secret-file", "idle_limit": "--idle-limit", "absolute_limit": "--absolute-limit",
	"ca_file": "--ca-file", "proxy": "--proxy",
}

var envNames = map[string]string{
	"issuer": "MCPAUTH_ISSUER", "client_id": "MCPAUTH_CLIENT_ID", "scopes": "MCPAUTH_SCOPES",
	"redirect_uris": "MCPAUTH_REDIRECT_URI", "audience": "MCPAUTH_AUDIENCE", "resource": "MCPAUTH_RESOURCE",
}

// builtIn is what stands below every other layer.
func builtIn() Profile { return Profile{UserContext: "auto", Grant: grantPerson} }

// presetLayer is what is known of the kind of provider that the layers above
// name, or whose issuer they have.
func presetLayer(above []layer) layer {
	chosen, _ := merge(above)
	preset, named := KindNamed(chosen.Provider)
	if !named {
		preset = KindFor(chosen.Issuer)
	}
	return layer{origin: OriginPreset, values: Profile{
		Provider: preset.Name, Scopes: slices.Concat(preset.Scopes, preset.Optional), RedirectURIs: preset.RedirectURIs,
		OfflineAccess: string(preset.Offline),
		GroupsClaim:   cmp.Or(preset.GroupsClaim, "groups"), RolesClaim: cmp.Or(preset.RolesClaim, "roles"),
	}}
}

// takeSecret takes the secret of the strongest layer that has one, if the
// client is that of this layer and those below it. Otherwise a flag or a
// variable could send the secret of one provider to another.
func (r *Resolved) takeSecret(layers []layer) {
	i := slices.IndexFunc(layers, layer.hasSecret)
	if i < 0 {
		return
	}
	strongest := layers[i]
	r.ClientSecret, r.ClientSecretFile = "", ""
	if owner, _ := merge(layers[i:]); owner.Issuer == r.Issuer && owner.ClientID == r.ClientID {
		if r.Secret = strongest.secret; r.Secret.IsZero() {
			r.ClientSecret, r.ClientSecretFile = strongest.values.ClientSecret, strongest.values.ClientSecretFile
		}
	}
	for field, value := range map[string]string{"client_secret": r.ClientSecret, "client_secret_file": r.ClientSecretFile} {
		if value == "" {
			delete(r.Origin, field)
		}
	}
}

// merge takes each field from the strongest layer that has it.
func merge(layers []layer) (Profile, map[string]Origin) {
	var p Profile
	origin := map[string]Origin{}
	fields := reflect.ValueOf(&p).Elem()
	for i := range fields.NumField() {
		for _, l := range layers {
			// Every field is a text, a list of strings or a pointer to a switch.
			if v := reflect.ValueOf(l.values).Field(i); v.Kind() == reflect.Pointer && !v.IsNil() || v.Kind() != reflect.Pointer && v.Len() > 0 {
				fields.Field(i).Set(v)
				origin[fieldName(fields.Type().Field(i))] = l.origin
				break
			}
		}
	}
	return p, origin
}

func (l layer) check() error {
	if l.sources == nil {
		return nil
	}
	field, err := l.values.check()
	if err == nil {
		return nil
	}
	return &problem.Problem{Msg: fmt.Sprintf("%s %v", l.sources[field], err), Code: problem.ExitUsage, Err: err}
}

func envProfile(env func(string) string) Profile {
	p := Profile{
		Issuer:   IssuerOf(env("MCPAUTH_ISSUER")),
		ClientID: env("MCPAUTH_CLIENT_ID"),
		Scopes:   strings.Fields(env("MCPAUTH_SCOPES")),
		Audience: env("MCPAUTH_AUDIENCE"),
		Resource: env("MCPAUTH_RESOURCE"),
	}
	if uri := env("MCPAUTH_REDIRECT_URI"); uri != "" {
		p.RedirectURIs = []string{uri}
	}
	return p
}

// Variables are the names of the MCPAUTH_ variables that made the profile what it is.
func (r Resolved) Variables(env func(string) string) (names []string) {
	for field, name := range envNames {
		if r.Origin[field] == OriginEnvironment && env(name) != "" {
			names = append(names, name)
		}
	}
	return names
}
