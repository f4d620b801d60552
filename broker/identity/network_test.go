package identity

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// A provider whose certificate no system knows is reached by the profile's ca_file,
// and, where the profile has a proxy, through it.
func TestProfileNamesItsCAAndProxy(t *testing.T) {
	provider := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	defer provider.Close()
	var passed atomic.Int32
	proxy := httptest.NewServer(connectProxy(provider.Listener.Addr().String(), &passed))
	defer proxy.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: provider.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	get := func(c Client, address string) error {
		base := http.DefaultTransport.(*http.Transport).Clone()
		way, err := c.network(base)
		if err != nil {
			return err
		}
		defer base.CloseIdleConnections()
		if own, ok := way.(*http.Transport); ok {
			defer own.CloseIdleConnections()
		}
		resp, err := (&http.Client{Transport: way}).Get(address)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	}
	if err := get(Client{}, provider.URL); !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("without a CA: %v", err)
	}
	if err := get(Client{CAFile: ca}, provider.URL); err != nil {
		t.Errorf("with it: %v", err)
	}
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1") // of the server that an AI client starts
	if err := get(Client{CAFile: ca, Proxy: proxy.URL}, "https://example.com/"); err != nil || passed.Load() != 1 {
		t.Errorf("by the proxy: %v, %d connections through it", err, passed.Load())
	}
	var wrong *ClientError
	if err := get(Client{CAFile: ca + ".none"}, provider.URL); !errors.As(err, &wrong) || wrong.Field != "ca_file" {
		t.Errorf("a file that is not there: %v", err)
	}
	if a, b := (Client{Issuer: "i", CAFile: "a"}), (Client{Issuer: "i"}); a.way() == b.way() {
		t.Error("two ways to one provider are kept as one")
	}
}

// connectProxy takes every CONNECT to one address.
func connectProxy(to string, passed *atomic.Int32) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "CONNECT only", http.StatusMethodNotAllowed)
			return
		}
		far, err := net.Dial("tcp", to)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = far.Close() }()
		near, _, err := http.NewResponseController(w).Hijack() // before the answer: the server reads nothing of what follows it
		if err != nil {
			return
		}
		defer func() { _ = near.Close() }()
		passed.Add(1)
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(far, near) }()
		_, _ = io.Copy(near, far)
	})
}
