package config

import (
	"net/url"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/identity/address"
)

// metadataPath is where an issuer has its metadata. Users copy the address with it.
const metadataPath = "/.well-known/openid-configuration"

// IssuerOf is the issuer that a user means by an address: one without https://, one
// that leads to the metadata, or that of Okta's admin console. A slash at the end stays,
// because some issuers have one.
func IssuerOf(typed string) string {
	issuer := strings.TrimSpace(typed)
	if !strings.Contains(issuer, "://") && strings.Contains(issuer, ".") && !strings.ContainsAny(issuer, " \t") {
		issuer = "https://" + issuer
	}
	issuer, _, _ = strings.Cut(issuer, metadataPath)
	u, err := url.Parse(issuer)
	if err != nil {
		return issuer
	}
	if u.Scheme == "https" && typed != "" && !strings.Contains(typed, "://") && address.IsThisMachine(u.Hostname()) {
		u.Scheme = "http"
		return u.String()
	}
	org, domain, _ := strings.Cut(u.Host, ".")
	if name, admin := strings.CutSuffix(org, "-admin"); admin && slices.Contains(oktaHosts, domain) {
		return "https://" + name + "." + domain
	}
	return issuer
}
