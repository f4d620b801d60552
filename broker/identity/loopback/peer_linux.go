package loopback

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
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

// socketOwner asks the kernel for the socket that is at from and connected to to, by one
// request of sock_diag(7). The tables below /proc take milliseconds to read.
func socketOwner(from, to netip.AddrPort) (uid int, found bool, err error) {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, false, err
	}
	defer func() { _ = unix.Close(socket) }()
	if err := unix.Sendto(socket, diagRequest(from, to), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, false, err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(socket, answer, 0) // the kernel answers before Sendto returns
	if err != nil {
		return 0, false, err
	}
	return ownerIn(answer[:n], to.Port())
}

// diagRequest is an nlmsghdr and an inet_diag_req_v2 (linux/inet_diag.h).
func diagRequest(from, to netip.AddrPort) []byte {
	r := slices.Concat(make([]byte, 64), bytes.Repeat([]byte{0xff}, 8)) // any cookie
	binary.NativeEndian.PutUint32(r, uint32(len(r)))
	binary.NativeEndian.PutUint16(r[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(r[6:], unix.NLM_F_REQUEST)
	r[16], r[17] = unix.AF_INET6, unix.IPPROTO_TCP
	if from.Addr().Unmap().Is4() {
		r[16] = unix.AF_INET
	}
	binary.NativeEndian.PutUint32(r[20:], ^uint32(0)) // any state
	binary.BigEndian.PutUint16(r[24:], from.Port())
	binary.BigEndian.PutUint16(r[26:], to.Port())
	copy(r[28:], from.Addr().Unmap().AsSlice())
	copy(r[44:], to.Addr().Unmap().AsSlice())
	return r
}

// ownerIn reads the answer: an nlmsghdr and an error or an inet_diag_msg. A socket that
// its program has closed has no inode, and one that listens has no other end.
func ownerIn(answer []byte, to uint16) (uid int, found bool, err error) {
	switch {
	case len(answer) < 20:
		return 0, false, io.ErrUnexpectedEOF
	case binary.NativeEndian.Uint16(answer[4:]) == unix.NLMSG_ERROR:
		code := unix.Errno(-int32(binary.NativeEndian.Uint32(answer[16:])))
		if code == unix.ENOENT {
			return 0, false, nil
		}
		return 0, false, code
	case len(answer) < 88:
		return 0, false, io.ErrUnexpectedEOF
	}
	inode := binary.NativeEndian.Uint32(answer[84:])
	return int(binary.NativeEndian.Uint32(answer[80:])), inode != 0 && binary.BigEndian.Uint16(answer[22:]) == to, nil
}

// underWSL reports whether this is Linux inside of Windows, whose programs can
// reach our loopback.
var underWSL = sync.OnceValue(func() bool {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	return err == nil && strings.Contains(strings.ToLower(string(release)), "microsoft")
})
