package loopback

import (
	"errors"
	"syscall"
)

const (
	soExclusiveAddrUse = ^syscall.SO_REUSEADDR
	wsaEAddrInUse      = syscall.Errno(10048)
	wsaEAccess         = syscall.Errno(10013) // taken with SO_EXCLUSIVEADDRUSE, or reserved by the system
)

// holdIPv6Port takes port on [::1] without listening there; see hold_unix.go.
// Windows lets others share an address unless it is taken exclusively.
func holdIPv6Port(port int) (release func(), err error) {
	socket, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM, 0)
	if err != nil {
		return func() {}, nil
	}
	address := &syscall.SockaddrInet6{Port: port, Addr: [16]byte{15: 1}}
	err = syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, soExclusiveAddrUse, 1)
	if err == nil {
		err = syscall.Bind(socket, address)
	}
	if err != nil {
		_ = syscall.Closesocket(socket)
		if errors.Is(err, wsaEAddrInUse) || errors.Is(err, wsaEAccess) {
			return nil, err
		}
		return func() {}, nil
	}
	return func() { _ = syscall.Closesocket(socket) }, nil
}
