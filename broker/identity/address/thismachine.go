package address

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
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
