package address

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"testing"
)

func TestPlaceOf(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]place{
		"localhost": loopback, "LocalHost": loopback, "127.0.0.1": loopback, "127.8.9.10": loopback, "::1": loopback, "::ffff:127.0.0.1": loopback,
		"localhost.": thisMachine, "localhost..": thisMachine, "a.localhost": thisMachine, "::1%lo": thisMachine, "127.0.0.1.": thisMachine,
		"127.1": thisMachine, "0": thisMachine, "0x7f.1": thisMachine, "0x": thisMachine, "017700000001": thisMachine, "2130706433": thisMachine,
		"0.0.0.0": thisMachine, "::": thisMachine, "169.254.169.254": thisMachine, "fe80::1%eth0": thisMachine, "ip6-localhost": thisMachine,
		"localhost.localdomain": thisMachine, "::ffff:0.0.0.0": thisMachine, "0xa9fea9fe": thisMachine,
		"": elsewhere, "login.example.com": elsewhere, "localhost.example.com": elsewhere, "mylocalhost": elsewhere, "10.0.0.1": elsewhere,
		"10.1": elsewhere, "128.1": elsewhere, "127.0.0.1.example.com": elsewhere, "127.256": thisMachine, "127.0.0.256": elsewhere, "1.2.3.4.5": elsewhere,
		"08.1": elsewhere, "4294967296": elsewhere, "-1": elsewhere, "2001:db8::1": elsewhere, "0x7g.1": elsewhere, "127.": elsewhere,
	} {
		if got := placeOf(host); got != want {
			t.Errorf("%q: %d, want %d", host, got, want)
		}
	}
}

// limited is a client whose requests are limited to a reach.
func limited(r Reach, network *http.Transport) *http.Client {
	return &http.Client{Transport: roundTrip(func(request *http.Request) (*http.Response, error) {
		return network.RoundTrip(r.Limit(request, network))
	})}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A name of a provider elsewhere may turn out to be this machine when it is looked
// up. The dialer judges the address, for all but what the user has chosen.
func TestAttackNameThatLeadsToThisMachine(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	defer service.Close()
	port := service.Listener.Addr().(*net.TCPAddr).Port
	network := &http.Transport{DialContext: Dial}
	defer network.CloseIdleConnections()
	// "localhost" stands for a name whose address is found only when it is dialed.
	target := (&url.URL{Scheme: "http", Host: net.JoinHostPort("localhost", strconv.Itoa(port)), Path: "/"}).String()
	remote := &url.URL{Scheme: "https", Host: "login.example.com"}
	answer, err := limited(NewReach(remote), network).Get(target)
	if err == nil {
		_ = answer.Body.Close()
	}
	if !errors.Is(err, errLeadsHere) {
		t.Errorf("an endpoint of a remote issuer: %v", err)
	}
}

func TestWhatTheUserChoseMayBeHere(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer service.Close()
	network := &http.Transport{DialContext: Dial}
	defer network.CloseIdleConnections()
	remote := &url.URL{Scheme: "https", Host: "login.example.com"}
	for name, test := range map[string]struct {
		reach  Reach
		target string
		proxy  string
	}{
		"local issuer":                {NewReach(&url.URL{Scheme: "http", Host: "127.0.0.1:1"}), service.URL, ""},
		"metadata_url of the profile": {NewReach(remote, service.URL), service.URL, ""},
		"local proxy":                 {NewReach(remote), "http://login.example.com/", service.URL},
	} {
		network.Proxy = func(*http.Request) (*url.URL, error) {
			if test.proxy == "" {
				return nil, nil
			}
			return url.Parse(test.proxy)
		}
		answer, err := limited(test.reach, network).Get(test.target)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = answer.Body.Close()
	}
}

// A hosts file or a DNS server may send localhost elsewhere, and plain http with it.
func TestAttackLocalhostThatIsElsewhere(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]error{
		"127.0.0.1:80": nil, "127.9.9.9:80": nil, "[::1]:80": nil, "[::ffff:127.0.0.1]:80": nil,
		"192.0.2.7:80": errLeadsAway, "[2001:db8::7]:80": errLeadsAway, "0.0.0.0:80": errLeadsAway, "localhost:80": errLeadsAway,
	} {
		if err := refuseOthers("tcp", address, nil); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", address, err, want)
		}
	}
}

// An address of this machine in one of its networks is this machine, too.
func TestAttackOwnAddressInANetwork(t *testing.T) {
	t.Parallel()
	own, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	remote := &url.URL{Scheme: "https", Host: "login.example.com"}
	for _, a := range own {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		address := netip.AddrPortFrom(prefix.Addr(), 443).String()
		if err := refuseThisMachine("tcp", address, nil); !errors.Is(err, errLeadsHere) {
			t.Errorf("%s is dialed for an issuer elsewhere: %v", address, err)
		}
		here := &url.URL{Scheme: "https", Host: address}
		if err := JudgeEndpoint(here.String(), remote); err == nil {
			t.Errorf("%s is taken as an endpoint of an issuer elsewhere", here)
		}
		if err := JudgeEndpoint(here.String(), here); err != nil {
			t.Errorf("%s is its own issuer: %v", here, err)
		}
	}
	if err := refuseThisMachine("tcp", "192.0.2.77:443", nil); err != nil {
		t.Errorf("another machine: %v", err)
	}
}
