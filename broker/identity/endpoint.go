package identity

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

const (
	maxEndpoint     = 2 << 10 // bytes of a URL in a provider's document
	maxAuthorizeURL = 8 << 10 // bytes of a URL that a browser is given
)

// ValidateAuthorizeURL is the one judge of what may be handed to a browser. It
// returns raw rebuilt from its parts, or says why not: only https, or http on
// loopback; no user information; no byte that a shell, a terminal or a URL
// handler could take for more than itself; at most 8 KiB. What it returns
// begins with "http", never with "-" (CVE-2025-6514).
func ValidateAuthorizeURL(raw string) (string, error) {
	u, err := parseURL(raw, maxAuthorizeURL)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// parseIssuer judges the issuer that a person configured. It may not have a
// query (OpenID Connect Discovery 3).
func parseIssuer(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, &ClientError{Field: "issuer", Reason: "is missing"}
	}
	u, err := parseURL(raw, maxEndpoint)
	if err != nil {
		return nil, &ClientError{Field: "issuer", Reason: err.Error()}
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, &ClientError{Field: "issuer", Reason: "has a query"}
	}
	return u, nil
}

// judgeEndpoint judges a URL out of the document of issuer. A provider on the
// internet must not send us, with a token in hand, to a service of this
// machine, so loopback is for an issuer on loopback only.
func judgeEndpoint(raw string, issuer *url.URL) error {
	u, err := parseURL(raw, maxEndpoint)
	if err != nil {
		return err
	}
	if isThisMachine(u.Hostname()) && !isThisMachine(issuer.Hostname()) {
		return errors.New("points at this machine, but the issuer is elsewhere")
	}
	return nil
}

func parseURL(raw string, limit int) (*url.URL, error) {
	if len(raw) > limit {
		return nil, errors.New("is too long for a URL")
	}
	for _, b := range []byte(raw) {
		if b <= ' ' || b >= 0x7f || strings.IndexByte("\"'`<>\\^{|}", b) >= 0 {
			return nil, errors.New("has a character that no URL may have")
		}
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("is not an absolute URL with a host")
	case u.User != nil:
		return nil, errors.New("has user information in it")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, errors.New("has a fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http":
		return nil, errors.New("is http, which is for loopback only; use https")
	}
	return nil, errors.New("is not https")
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// isThisMachine is isLoopback with the other addresses that lead nowhere but
// here or to the machine's own link.
func isThisMachine(host string) bool {
	if isLoopback(host) || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsUnspecified() || ip.IsLinkLocalUnicast())
}
