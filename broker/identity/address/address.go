// Package address judges the addresses that a sign-in meets: whether one may be
// asked, may be given to a browser, and whether it leads to this machine.
package address

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

const (
	maxEndpoint   = 2 << 10 // bytes of a URL in a provider's document
	maxForBrowser = 8 << 10 // bytes of a URL that a browser is given
)

// ForBrowser is the one judge of what may be handed to a browser. It
// returns raw rebuilt from its parts, or says why not: only https, or http on
// loopback; no user information; no byte that a shell, a terminal or a URL
// handler could take for more than itself, but for & = ? and %, which an address
// needs; at most 8 KiB. What it returns begins with "http", never with "-"
// (CVE-2025-6514).
func ForBrowser(raw string) (string, error) {
	u, err := parse(raw, maxForBrowser)
	if err != nil {
		return "", err
	}
	address := u.Scheme + "://" + u.Host + encoded(u.EscapedPath())
	if u.RawQuery != "" {
		address += "?" + encoded(u.RawQuery)
	}
	if len(address) > maxForBrowser {
		return "", errors.New("is too long for a URL")
	}
	return address, nil
}

const (
	lettersAndDigits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	// plainInURL stays as it is when an address is rebuilt. All else is encoded, which
	// means the same to its reader, and nothing to a shell on the way there: under WSL
	// the opener is a script that gives the address to PowerShell.
	plainInURL = lettersAndDigits + "-._~" + "/?&=:@,+"
)

func encoded(part string) string {
	var b strings.Builder
	for i, c := range []byte(part) {
		switch {
		case strings.IndexByte(plainInURL, c) >= 0, c == '%' && isEscape(part[i:]):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// isEscape reports whether a text begins with a byte in percent-encoding.
func isEscape(text string) bool {
	if len(text) < 3 {
		return false
	}
	_, err := hex.DecodeString(text[1:3])
	return err == nil
}

// plainHost reports whether a host with its port has only what names and addresses
// are made of. url.Parse lets all of RFC 3986 pass, and $(id) is a name there.
func plainHost(host string) bool {
	literal, bracketed := strings.CutPrefix(host, "[")
	if !bracketed {
		return strings.Trim(host, lettersAndDigits+"-._:") == ""
	}
	address, port, closed := strings.Cut(literal, "]")
	_, err := netip.ParseAddr(address)
	return closed && err == nil && !strings.Contains(address, "%") && strings.Trim(port, ":0123456789") == ""
}

// JudgeEndpoint judges a URL out of the document of issuer. A provider on the
// internet must not send us, with a token in hand, to a service of this
// machine, so loopback is for an issuer on loopback only.
func JudgeEndpoint(raw string, issuer *url.URL) error {
	u, err := Parse(raw)
	if err != nil {
		return err
	}
	if isHere(u.Hostname()) && !isHere(issuer.Hostname()) {
		return errors.New("points at this machine, but the issuer is elsewhere")
	}
	return nil
}

// Parse reads an absolute URL with a host that is https, or http on loopback, and has
// neither user information nor a fragment. The error goes on behind the URL.
func Parse(raw string) (*url.URL, error) { return parse(raw, maxEndpoint) }

func parse(raw string, limit int) (*url.URL, error) {
	if len(raw) > limit {
		return nil, errors.New("is too long for a URL")
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"'`<>\\^{|}", r) }) {
		return nil, errors.New("has a character that no URL may have")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("is not an absolute URL with a host")
	case !plainHost(u.Host):
		return nil, errors.New("has a character in its host that no host has")
	case u.User != nil:
		return nil, errors.New("has user information in it")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, errors.New("has a fragment")
	}
	return u, checkScheme(u)
}

func checkScheme(u *url.URL) error {
	switch {
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return errors.New("is http, which is for loopback only; use https")
	}
	return errors.New("is not https")
}
