package loopback

import (
	"net"
	"net/netip"
	"os"
	"testing"
)

func TestSocketOwner(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue // a machine without IPv6
		}
		defer func() { _ = listener.Close() }()
		client, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		from, to := client.LocalAddr().(*net.TCPAddr).AddrPort(), client.RemoteAddr().(*net.TCPAddr).AddrPort()
		if uid, found, err := socketOwner(from, to); err != nil || !found || uid != os.Getuid() {
			t.Errorf("%s: %d %v %v", address, uid, found, err)
		}
		other := netip.AddrPortFrom(from.Addr(), to.Port())
		if _, found, err := socketOwner(other, from); found || err != nil {
			t.Errorf("%s: a connection that is not there has an owner: %v", address, err)
		}
		_ = client.Close()
	}
}

// The kernel shows a socket that its program has closed as root's.
func TestAttackClosedSocketIsNotRoots(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }() // open until then, so that the other waits in FIN-WAIT-2
	from, to := client.LocalAddr().(*net.TCPAddr).AddrPort(), client.RemoteAddr().(*net.TCPAddr).AddrPort()
	_ = client.Close()
	if uid, found, err := socketOwner(from, to); found || err != nil {
		t.Errorf("uid %d %v", uid, err)
	}
	if uid, found, err := socketOwner(to, netip.AddrPortFrom(from.Addr(), 1)); found || err != nil {
		t.Errorf("the listener is taken for a connection: uid %d %v", uid, err)
	}
}
