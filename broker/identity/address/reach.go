package address

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// errLeadsHere ends a connection to this machine that a provider elsewhere led to.
var errLeadsHere = errors.New("the name leads to this machine, but the issuer is elsewhere")

// errLeadsAway ends a connection to a localhost that is another machine.
var errLeadsAway = errors.New("localhost is not this machine here: its name leads to another address")

// Reach is which addresses a provider's documents may lead to.
type Reach struct {
	anywhere bool     // the issuer is on this machine itself
	chosen   []string // host:port, chosen by the user: they may be anywhere
}

// NewReach is the reach of an issuer, and of the URLs that the user has chosen beside it.
func NewReach(issuer *url.URL, chosen ...string) Reach {
	r := Reach{anywhere: isHere(issuer.Hostname()), chosen: []string{authority(issuer)}}
	for _, raw := range chosen {
		if u, err := url.Parse(raw); err == nil {
			r.chosen = append(r.chosen, authority(u))
		}
	}
	return r
}

// authority is the host and port of a URL, as a transport dials it.
func authority(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	case strings.HasPrefix(u.Scheme, "socks5"):
		port = "1080"
	default:
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

type reachKey struct{}

// Limit has the dialer judge the address that a request's name turns out to be. A
// proxy is the user's choice, too, wherever it is.
func (r Reach) Limit(request *http.Request, base http.RoundTripper) *http.Request {
	if r.anywhere {
		return request
	}
	chosen := slices.Clone(r.chosen)
	if network, ok := base.(*http.Transport); ok && network.Proxy != nil {
		if proxy, err := network.Proxy(request); err == nil && proxy != nil {
			chosen = append(chosen, authority(proxy))
		}
	}
	return request.WithContext(context.WithValue(request.Context(), reachKey{}, chosen))
}

// Dial is the dialer of all requests to providers.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	chosen, limited := ctx.Value(reachKey{}).([]string)
	switch {
	case limited && !slices.Contains(chosen, address):
		dialer.Control = refuseThisMachine
	case IsLoopback(host): // plain http is allowed there, whatever a hosts file or a DNS server makes of localhost
		dialer.Control = refuseOthers
	}
	return dialer.DialContext(ctx, network, address)
}

func refuseThisMachine(_, address string, _ syscall.RawConn) error {
	ip, err := netip.ParseAddrPort(address)
	if err != nil || placeOfIP(ip.Addr()) != elsewhere || isOwn(ip.Addr()) {
		return errLeadsHere
	}
	return nil
}

func refuseOthers(_, address string, _ syscall.RawConn) error {
	ip, err := netip.ParseAddrPort(address)
	if err != nil || placeOfIP(ip.Addr()) != loopback {
		return errLeadsAway
	}
	return nil
}
