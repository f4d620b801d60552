//go:build unix

package loopback

import (
	"errors"
	"syscall"
)

// holdIPv6Port takes port on [::1] without listening there. A browser that
// tries it is refused at once and goes on to 127.0.0.1, while no other program
// can have it. A listener that accepts and says nothing would break the
// sign-in: browsers do not try the next address after a connection that worked.
//
// SO_REUSEADDR stays off: with it on both sides Linux would let another
// program in. A machine without IPv6 has nothing to hold, which is no error.
func holdIPv6Port(port int) (release func(), err error) {
	syscall.ForkLock.RLock() // or a browser started now would inherit the socket
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return func() {}, nil
	}
	address := &syscall.SockaddrInet6{Port: port, Addr: [16]byte{15: 1}}
	if err := syscall.Bind(fd, address); err != nil {
		_ = syscall.Close(fd)
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, err
		}
		return func() {}, nil
	}
	return func() { _ = syscall.Close(fd) }, nil
}
