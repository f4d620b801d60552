package identity

import (
	"errors"
	"net"
	"net/netip"
	"net/url"

	"github.com/mcpauth/mcpauth/broker/identity/address"
)

const defaultRedirect = "http://127.0.0.1/callback" // any free port

// redirect is one redirect URI of a client, which says where to listen.
type redirect struct {
	host string // as the provider spells it: "127.0.0.1", "localhost", "::1"
	port string // "0" for any free one
	path string // begins with "/"; empty when the URI has none
}

// parseRedirects reads a client's redirect URIs. A URI without a port, or with
// port 0, means any free port (RFC 8252 7.3); a provider that compares ports,
// as Okta does, needs them spelled out.
func parseRedirects(raw []string) ([]redirect, error) {
	if len(raw) == 0 {
		raw = []string{defaultRedirect}
	}
	redirects := make([]redirect, 0, len(raw))
	for _, uri := range raw {
		r, err := parseRedirect(uri)
		if err != nil {
			return nil, &ClientError{Field: "redirect_uris", Reason: "has " + clean(uri) + ", which " + err.Error()}
		}
		redirects = append(redirects, r)
	}
	return redirects, nil
}

func parseRedirect(raw string) (redirect, error) {
	u, err := address.Parse(raw)
	if err != nil {
		return redirect{}, err
	}
	port := u.Port()
	switch {
	case u.Scheme != "http" || !address.IsLoopback(u.Hostname()) || !asBrowsersSpell(u.Hostname()):
		return redirect{}, errors.New("is not http on loopback; mcpauth listens there and nowhere else")
	case u.RawQuery != "" || u.ForceQuery:
		return redirect{}, errors.New("has a query")
	case u.EscapedPath() != u.Path:
		return redirect{}, errors.New("has an escaped character in its path")
	case port == "":
		port = "0"
	}
	return redirect{host: u.Hostname(), port: port, path: u.Path}, nil
}

// asBrowsersSpell reports whether a browser keeps the spelling of a loopback host, so
// that it comes back to exactly the one that is in the redirect URI.
func asBrowsersSpell(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && !ip.Is4In6() && ip.String() == host
}

// address is where to listen. oauth2cli would say localhost to the provider
// whatever it listens on; here the words stay apart from the address.
func (r redirect) address() string {
	host := r.host
	if host == "localhost" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, r.port)
}

func (r redirect) uri() string {
	return (&url.URL{Scheme: "http", Host: net.JoinHostPort(r.host, r.port), Path: r.path}).String()
}

// settle turns "any port" into one that is free now. oauth2cli takes no
// listener, so the port is released again, and another program may take it before
// oauth2cli does; that is a busy port like any other then.
//
// A browser that reads "localhost" may go to [::1] first, where another
// program could wait for the code. So that port is held, too, until release.
func (r redirect) settle() (settled redirect, release func(), err error) {
	listener, err := net.Listen("tcp", r.address())
	if err != nil {
		return r, nil, &busyError{addr: r.address()}
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_, r.port, err = net.SplitHostPort(listener.Addr().String())
	if err = errors.Join(err, listener.Close()); err != nil {
		return r, nil, &busyError{addr: r.address()}
	}
	if r.host != "localhost" {
		return r, func() {}, nil
	}
	release, err = holdIPv6Port(port)
	if err != nil {
		return r, nil, &busyError{addr: net.JoinHostPort("::1", r.port)}
	}
	return r, release, nil
}

// busyError means that one port cannot be taken and the next may be tried.
type busyError struct{ addr string }

func (e *busyError) Error() string { return e.addr + " is in use" }
