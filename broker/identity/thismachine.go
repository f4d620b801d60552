package identity

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// place is where a host's name leads, as far as the name says it.
type place int

const (
	elsewhere   place = iota
	loopback          // this machine, by a name that nobody reads otherwise
	thisMachine       // this machine or its own link, by a name that some read so
)

// placeOf is the one judge of what "this machine" is.
func placeOf(host string) place {
	name, _, zoned := strings.Cut(strings.ToLower(host), "%")
	bare := strings.TrimRight(name, ".")
	ip, err := netip.ParseAddr(bare)
	if err != nil {
		var short bool
		if ip, short = shortIPv4(bare); short && placeOfIP(ip) != elsewhere {
			return thisMachine
		}
		return placeOfName(name, bare)
	}
	if found := placeOfIP(ip); found != loopback || !zoned && bare == name {
		return found
	}
	return thisMachine
}

func placeOfIP(ip netip.Addr) place {
	switch ip = ip.Unmap(); {
	case ip.IsLoopback():
		return loopback
	case ip.IsUnspecified(), ip.IsLinkLocalUnicast():
		return thisMachine
	}
	return elsewhere
}

// placeOfName knows the names of RFC 6761 and of the usual hosts files.
func placeOfName(name, bare string) place {
	switch {
	case name == "localhost":
		return loopback
	case bare == "localhost", strings.HasSuffix(bare, ".localhost"),
		strings.HasPrefix(bare, "localhost") && strings.Contains(bare, ".localdomain"),
		slices.Contains([]string{"localhost4", "localhost6", "ip6-localhost", "ip6-loopback", "loopback"}, bare):
		return thisMachine
	}
	return elsewhere
}

// shortIPv4 reads an address as inet_aton and browsers do: one to four numbers in
// decimal, octal or hexadecimal, and the last fills what is left.
func shortIPv4(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var sum uint64
	for i, part := range parts {
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		value, err := shortNumber(part)
		if err != nil || value>>bits != 0 {
			return netip.Addr{}, false
		}
		sum = sum<<bits | value
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}

func shortNumber(digits string) (uint64, error) {
	if hex, ok := strings.CutPrefix(digits, "0x"); ok {
		return strconv.ParseUint("0"+hex, 16, 32) // "0x" alone is 0
	}
	if len(digits) > 1 && digits[0] == '0' {
		return strconv.ParseUint(digits, 8, 32)
	}
	return strconv.ParseUint(digits, 10, 32)
}

// IsLoopback reports whether a host is this machine beyond doubt, so that plain
// http to it leaves nothing on a network.
func IsLoopback(host string) bool { return placeOf(host) == loopback }

// IsThisMachine reports whether a host may be this machine in any spelling.
func IsThisMachine(host string) bool { return placeOf(host) != elsewhere }

// isHere is IsThisMachine that knows the addresses of this machine's networks, too.
func isHere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return IsThisMachine(host) || err == nil && isOwn(ip)
}

// errLeadsHere ends a connection to this machine that a provider elsewhere led to.
var errLeadsHere = errors.New("the name leads to this machine, but the issuer is elsewhere")

// errLeadsAway ends a connection to a localhost that is another machine.
var errLeadsAway = errors.New("localhost is not this machine here: its name leads to another address")

// reach is which addresses a provider's documents may lead to.
type reach struct {
	anywhere bool     // the issuer is on this machine itself
	chosen   []string // host:port, chosen by the user: they may be anywhere
}

func reachOf(issuer *url.URL, chosen ...string) reach {
	r := reach{anywhere: isHere(issuer.Hostname()), chosen: []string{authority(issuer)}}
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

// limited has the dialer judge the address that a request's name turns out to be. A
// proxy is the user's choice, too, wherever it is.
func (r reach) limited(request *http.Request, base http.RoundTripper) *http.Request {
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

// dial is the one of all requests to providers.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
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

// isOwn reports whether an address is this machine's in one of its networks.
// Services that listen for all of them answer there, too.
func isOwn(ip netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(own, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == ip.Unmap().WithZone("")
	})
}
