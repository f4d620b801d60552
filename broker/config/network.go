package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/mcpauth/mcpauth/broker/edit"
)

// networkLayer is what the environment says of the way to the provider. It stands
// below the file, unlike the other variables: a profile that names its own means it.
// A first sign-in remembers it. A proxy that wants a password is left out: that would
// stand in the file.
func networkLayer(env func(string) string, above []layer) layer {
	l := layer{origin: OriginEnvironment}
	if file := env("SSL_CERT_FILE"); filepath.IsAbs(file) {
		l.values.CAFile = file
	}
	chosen, _ := merge(above)
	issuer, err := url.Parse(chosen.Issuer)
	if err != nil || issuer.Host == "" {
		return l
	}
	if proxy, err := proxyOf(env, issuer); err == nil && proxy != nil && checkProxy(proxy.String()) == nil {
		l.values.Proxy = proxy.String()
	}
	return l
}

func proxyOf(env func(string) string, target *url.URL) (*url.URL, error) {
	either := func(name string) string {
		if value := env(name); value != "" {
			return value
		}
		return env(strings.ToLower(name))
	}
	config := httpproxy.Config{HTTPSProxy: either("HTTPS_PROXY"), HTTPProxy: either("HTTP_PROXY"), NoProxy: either("NO_PROXY")}
	return config.ProxyFunc()(target)
}

// networkVariables are those by which a terminal reaches the provider, and which AI
// clients that are started from a desktop do not have.
var networkVariables = []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"}

// LostVariables are the names of variables of this terminal that bear on how the
// provider is reached, where the profile in the file does not say it itself.
func (r Resolved) LostVariables(env func(string) string) (names []string) {
	own := func(field string) bool { return r.Origin[field] != "" && r.Origin[field] != OriginEnvironment }
	for _, name := range networkVariables {
		upper := strings.ToUpper(name)
		covered := strings.HasPrefix(upper, "SSL_") && own("ca_file") || strings.HasSuffix(upper, "_PROXY") && own("proxy")
		if env(name) != "" && !covered && !(upper == "NO_PROXY" && r.Proxy == "") {
			names = append(names, name)
		}
	}
	return names
}

// Unremembered says what a sign-in in this terminal needed that neither the profile
// nor an AI client has. isNew says that the profile was written to the file just now.
func (r Resolved) Unremembered(env func(string) string, file string, isNew bool) []string {
	var lines []string
	for _, key := range []struct{ name, variable, value string }{{"ca_file", "SSL_CERT_FILE", r.CAFile}, {"proxy", "HTTPS_PROXY", r.Proxy}} {
		if r.Origin[key.name] == OriginEnvironment && !isNew {
			lines = append(lines, fmt.Sprintf("AI clients do not pass %s on; put %s = %q under [profiles.%s] in %s",
				key.variable, key.name, key.value, edit.QuoteKey(r.Name), file))
		}
	}
	for _, name := range r.LostVariables(env) {
		if name != "SSL_CERT_FILE" && (!strings.EqualFold(name, "HTTPS_PROXY") || r.Proxy == "") {
			lines = append(lines, "AI clients do not pass "+name+" on; mcpauth client add writes it into the entry")
		}
	}
	return lines
}

// EntryVariables are what the terminal knows and an AI client does not pass on, as
// NAME=VALUE: the way to the provider, and the MCPAUTH_ variables that make the
// profile. Those that hold a password are not written into a client's file: secret has
// their names.
func (r Resolved) EntryVariables(env func(string) string) (assignments, secret []string) {
	names := append(r.LostVariables(env), r.Variables(env)...)
	slices.Sort(names)
	for _, name := range names {
		value := env(name)
		if u, err := url.Parse(value); err == nil && u.User != nil {
			secret = append(secret, name)
			continue
		}
		assignments = append(assignments, name+"="+value)
	}
	return assignments, secret
}
