package loopback

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/mcpauth/mcpauth/broker/identity/address"
)

// Redirect is one redirect URI of a client, which says where to listen.
type Redirect struct {
	host string // as the provider spells it: "127.0.0.1", "localhost", "::1"
	port string // "0" for any free one
	path string // begins with "/"; empty when the URI has none
}

// ParseRedirect reads a redirect URI. One without a port, or with port 0, means any
// free port (RFC 8252 7.3); a provider that compares ports, as Okta does, needs it
// spelled out. The error goes on behind the URI.
func ParseRedirect(raw string) (Redirect, error) {
	u, err := address.Parse(raw)
	if err != nil {
		return Redirect{}, err
	}
	port := u.Port()
	switch {
	case u.Scheme != "http" || !address.IsLoopback(u.Hostname()) || !asBrowsersSpell(u.Hostname()):
		return Redirect{}, errors.New("is not http on loopback; mcpauth listens there and nowhere else")
	case u.RawQuery != "" || u.ForceQuery:
		return Redirect{}, errors.New("has a query")
	case u.EscapedPath() != u.Path:
		return Redirect{}, errors.New("has an escaped character in its path")
	case port == "":
		port = "0"
	}
	return Redirect{host: u.Hostname(), port: port, path: u.Path}, nil
}

// asBrowsersSpell reports whether a browser keeps the spelling of a loopback host, so
// that it comes back to exactly the one that is in the redirect URI.
func asBrowsersSpell(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && !ip.Is4In6() && ip.String() == host
}

// address is where to listen. oauth2cli would say localhost to the provider
// whatever it listens on; here the words stay apart from the address.
func (r Redirect) address() string {
	host := r.host
	if host == "localhost" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, r.port)
}

// AnyPort reports whether any free port will do.
func (r Redirect) AnyPort() bool { return r.port == "0" }

// Registered is the redirect URI as it must be registered at the provider: without a
// port where any will do.
func (r Redirect) Registered() string {
	if r.AnyPort() {
		return "http://" + strings.TrimSuffix(net.JoinHostPort(r.host, ""), ":") + r.path
	}
	return r.URI()
}

// URI is the redirect URI as the provider gets it.
func (r Redirect) URI() string {
	return (&url.URL{Scheme: "http", Host: net.JoinHostPort(r.host, r.port), Path: r.path}).String()
}

// Settle turns "any port" into one that is free now. oauth2cli takes no
// listener, so the port is released again, and another program may take it before
// oauth2cli does; that is a busy port like any other then.
//
// A browser that reads "localhost" may go to [::1] first, where another
// program could wait for the code. So that port is held, too, until release.
func (r Redirect) Settle() (settled Redirect, release func(), err error) {
	listener, err := net.Listen("tcp", r.address())
	if err != nil {
		return r, nil, &BusyError{Addr: r.address()}
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_, r.port, err = net.SplitHostPort(listener.Addr().String())
	if err = errors.Join(err, listener.Close()); err != nil {
		return r, nil, &BusyError{Addr: r.address()}
	}
	if r.host != "localhost" {
		return r, func() {}, nil
	}
	release, err = holdIPv6Port(port)
	if err != nil {
		return r, nil, &BusyError{Addr: net.JoinHostPort("::1", r.port)}
	}
	return r, release, nil
}

// BusyError means that one port cannot be taken and the next may be tried.
type BusyError struct{ Addr string }

func (e *BusyError) Error() string { return e.Addr + " is in use" }
