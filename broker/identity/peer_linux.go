package identity

import (
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
)

// peerOf looks up whose socket a request came from. Root's are let in: sshd and
// other relays may run as root. A socket that is closed already is shown as root's,
// without an inode; one that is not there at all is of no program here. Under WSL
// that may be the browser of Windows. Without the kernel's table nothing is known.
func peerOf(r *http.Request) peer {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	here, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if err != nil || here == nil {
		return peer{}
	}
	uid, found, err := socketOwner(remote, here.AddrPort())
	switch {
	case err != nil, !found && underWSL():
		return peer{}
	case !found:
		return peer{foreign: true}
	}
	return peer{known: true, foreign: uid != 0 && uid != os.Geteuid(), uid: uid}
}

// socketOwner finds the socket that is at from and connected to to.
func socketOwner(from, to netip.AddrPort) (uid int, found bool, err error) {
	for _, table := range []struct {
		file string
		show func(netip.Addr) string
	}{{"/proc/net/tcp", showIPv4}, {"/proc/net/tcp6", showIPv6}} {
		pair := showPort(table.show, from) + " " + showPort(table.show, to)
		text, err := os.ReadFile(table.file)
		if err != nil && table.file == "/proc/net/tcp" { // the other is not there on a machine without IPv6
			return 0, false, err
		}
		for line := range strings.Lines(string(text)) {
			if uid, ok := ownerIn(line, pair); ok {
				return uid, true, nil
			}
		}
	}
	return 0, false, nil
}

// ownerIn reads a line of the kernel's table: number, local and remote address,
// state, queues, timer, retransmissions, uid, timeout, inode.
func ownerIn(line, pair string) (uid int, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 || fields[1]+" "+fields[2] != pair || fields[9] == "0" {
		return 0, false
	}
	uid, err := strconv.Atoi(fields[7])
	return uid, err == nil
}

func showPort(show func(netip.Addr) string, a netip.AddrPort) string {
	return show(a.Addr()) + ":" + strings.ToUpper(hex.EncodeToString([]byte{byte(a.Port() >> 8), byte(a.Port())}))
}

func showIPv4(a netip.Addr) string {
	if a = a.Unmap(); !a.Is4() {
		return ""
	}
	four := a.As4()
	return showWords(four[:])
}

// showIPv6 shows an IPv4 address as a socket of both families has it.
func showIPv6(a netip.Addr) string {
	sixteen := a.As16()
	return showWords(sixteen[:])
}

// showWords is how the kernel shows an address: words of 32 bits in the
// machine's byte order.
func showWords(address []byte) string {
	var b strings.Builder
	for word := range len(address) / 4 {
		var swapped [4]byte
		binary.BigEndian.PutUint32(swapped[:], binary.NativeEndian.Uint32(address[4*word:]))
		b.WriteString(strings.ToUpper(hex.EncodeToString(swapped[:])))
	}
	return b.String()
}

// underWSL reports whether this is Linux inside of Windows, whose programs can
// reach our loopback.
var underWSL = sync.OnceValue(func() bool {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	return err == nil && strings.Contains(strings.ToLower(string(release)), "microsoft")
})
