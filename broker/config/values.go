package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/identity/address"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/text"
)

// literalSecretError means that the file holds a client secret in the clear.
type literalSecretError struct{}

func (*literalSecretError) Error() string {
	return `must be a reference like "keychain:NAME": a secret never stands in the file`
}

// check returns the first field that holds a bad value, and why it is bad.
// Empty fields are good. No value of client_secret is in the error.
func (p Profile) check() (field string, err error) {
	texts := []struct {
		name, value string
		check       func(string) error
	}{
		{"issuer", p.Issuer, checkIssuer},
		{"metadata_url", p.MetadataURL, checkMetadataURL},
		{"client_id", p.ClientID, checkClientID},
		{"client_secret", p.ClientSecret, checkSecretRef},
		{"audience", p.Audience, text.CheckPrintable},
		{"resource", p.Resource, checkResource},
		{"cwd", p.Cwd, checkCwd},
		{"user_context", p.UserContext, checkUserContext},
		{"policy", p.Policy, checkCwd},
		{"provider", p.Provider, checkProvider},
		{"offline_access", p.OfflineAccess, checkOffline},
		{"grant", p.Grant, checkGrant},
		{"client_secret_file", p.ClientSecretFile, checkSecretFile},
		{"groups_claim", p.GroupsClaim, text.CheckPrintable},
		{"roles_claim", p.RolesClaim, text.CheckPrintable},
		{"idle_limit", p.IdleLimit, checkLimit},
		{"absolute_limit", p.AbsoluteLimit, checkLimit},
		{"ca_file", p.CAFile, checkCwd},
		{"proxy", p.Proxy, checkProxy},
	}
	for _, t := range texts {
		if t.value == "" {
			continue
		}
		if err := t.check(t.value); err != nil {
			return t.name, err
		}
	}
	lists := []struct {
		name   string
		values []string
		check  func(string) error
	}{
		{"scopes", p.Scopes, policy.CheckScope},
		{"redirect_uris", p.RedirectURIs, checkRedirectURI},
		{"command", p.Command, checkArg},
	}
	for _, l := range lists {
		for _, v := range l.values {
			if err := l.check(v); err != nil {
				return l.name, err
			}
		}
	}
	switch {
	case len(p.Command) > 0 && p.Command[0] == "":
		return "command", errors.New("must begin with the name of a program")
	case p.ClientSecret != "" && p.ClientSecretFile != "":
		return "client_secret_file", errors.New("stands beside client_secret: keep one of the two")
	}
	return "", nil
}

// checkProfileName keeps names apart from flags ("-x"), from hidden files and
// from paths, since they become parts of file names and of keychain entries.
func checkProfileName(name string) error {
	const first = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
	if 1 <= len(name) && len(name) <= 64 && strings.Trim(name[:1], first) == "" && strings.Trim(name, first+".-") == "" {
		return nil
	}
	return errors.New("must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with none of . and -")
}

// checkIssuer: an OpenID issuer is https without query and fragment (OpenID
// Connect Discovery 1.0, section 2). Plain http never leaves this machine.
func checkIssuer(v string) error {
	u, err := parseURL(v)
	switch {
	case err != nil && !strings.Contains(v, "/") && strings.Contains(v, "."):
		return fmt.Errorf("%w; did you mean https://%s?", err, v)
	case err != nil:
		return err
	case u.RawQuery != "" || u.ForceQuery:
		return errors.New("must have no query (RFC 8414, section 2)")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && address.IsLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("must begin with https:// (http:// only on loopback), not %q", v)
}

// checkMetadataURL: an address that is safe to read, which may have a query.
func checkMetadataURL(v string) error {
	u, err := parseURL(v)
	switch {
	case err != nil:
		return err
	case u.Scheme == "https", u.Scheme == "http" && address.IsLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("must begin with https:// (http:// only on loopback), not %q", v)
}

// SwitchText is a switch of a profile as the file spells it, empty when it is not
// there.
func SwitchText(v *bool) string {
	if v == nil {
		return ""
	}
	return strconv.FormatBool(*v)
}

// checkProxy: a password would stand in the file.
func checkProxy(v string) error {
	u, err := parseURL(v)
	switch {
	case err != nil:
		return err
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5":
		return errors.New("must begin with http://, https:// or socks5://")
	case u.User != nil:
		return errors.New("must hold no user and password, which stand in no file; set HTTPS_PROXY for a proxy that wants them")
	}
	return nil
}

// checkResource: an absolute URI without a fragment (RFC 8707, section 2).
func checkResource(v string) error {
	if err := text.CheckPrintable(v); err != nil {
		return err
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme == "" {
		return errors.New("must be an absolute URI (RFC 8707, section 2)")
	}
	if strings.Contains(v, "#") {
		return errors.New("must have no fragment (RFC 8707, section 2)")
	}
	return nil
}

// checkRedirectURI: loopback http with a path (RFC 8252, section 7.3): the
// answer of the provider must not leave this machine.
func checkRedirectURI(v string) error {
	u, err := parseURL(v)
	switch {
	case err != nil:
		return err
	case u.Scheme != "http" || !isRedirectHost(u.Hostname()):
		return fmt.Errorf("must be on this machine, like http://127.0.0.1:8765/callback, not %q", v)
	case !strings.HasPrefix(u.Path, "/") || u.Path == "/":
		return fmt.Errorf("must have a path, like /callback, not %q", v)
	case u.RawQuery != "" || u.ForceQuery:
		return errors.New("must have no query: the provider puts its answer there")
	}
	return nil
}

// parseURL parses an http address that has a host and neither fragment nor
// user. The error never quotes it: a user part may hold a password.
func parseURL(v string) (*url.URL, error) {
	if err := text.CheckPrintable(v); err != nil {
		return nil, err
	}
	u, err := url.Parse(v)
	switch {
	case err != nil:
		return nil, errors.New("is no valid URL")
	case u.User != nil:
		return nil, errors.New("must have no user or password in it")
	case strings.Contains(v, "#"):
		return nil, errors.New("must have no fragment")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, fmt.Errorf("must be a full URL with a host, not %q", v)
	}
	return u, nil
}

// isRedirectHost is narrower than address.IsLoopback: these are what the loopback
// listener can bind and what providers register.
func isRedirectHost(host string) bool {
	return host == "127.0.0.1" || host == "::1" || host == "localhost"
}

func checkClientID(v string) error {
	for _, r := range v {
		if r < ' ' || r > '~' { // VSCHAR, RFC 6749 appendix A.1
			return errors.New("must be printable ASCII (RFC 6749, appendix A.1)")
		}
	}
	return nil
}

func checkSecretRef(v string) error {
	name, ok := strings.CutPrefix(v, SecretRef)
	if !ok {
		return &literalSecretError{}
	}
	// Not quoted: "keychain:" before the secret itself is an easy mistake.
	return checkProfileName(name)
}

func checkProvider(v string) error {
	if _, known := KindNamed(v); known {
		return nil
	}
	return fmt.Errorf("must be one of %s, not %q", strings.Join(KindNames(), ", "), v)
}

func checkOffline(v string) error {
	switch identity.Offline(v) {
	case identity.OfflineAuto, identity.OfflineScope, identity.OfflineConsent, identity.OfflineAccessType, identity.OfflineNever:
		return nil
	}
	return fmt.Errorf(`must be "auto", "scope", "consent", "access_type" or "never", not %q`, v)
}

func checkGrant(v string) error {
	switch v {
	case grantPerson, GrantMachine:
		return nil
	}
	return fmt.Errorf("must be %q or %q, not %q", grantPerson, GrantMachine, v)
}

// The values of grant (RFC 6749 4.1 and 4.4).
const (
	grantPerson  = "authorization_code"
	GrantMachine = "client_credentials"
)

func checkSecretFile(v string) error {
	if err := checkCwd(v); err != nil {
		return err
	}
	return text.CheckPrintable(v)
}

func checkLimit(v string) error {
	_, err := text.ParseSpan(v)
	return err
}

func checkUserContext(v string) error {
	switch v {
	case "auto", "always", "never":
		return nil
	}
	return fmt.Errorf(`must be "auto", "always" or "never", not %q`, v)
}

func checkCwd(v string) error {
	if strings.ContainsRune(v, 0) {
		return errors.New("has a NUL byte")
	}
	// A rooted path passes everywhere, so that one file serves several machines.
	if filepath.IsAbs(v) || strings.HasPrefix(v, "/") {
		return nil
	}
	return fmt.Errorf("must be an absolute path, not %q: AI clients start mcpauth in folders of their own, and ~ is the shell's", v)
}

func checkArg(v string) error {
	if strings.ContainsRune(v, 0) {
		return errors.New("has a NUL byte")
	}
	return nil
}
