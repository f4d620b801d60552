package identity

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
)

// network is how this client reaches its provider: base, with the certificates and
// the proxy of the profile. What stands there is stronger than the environment, which
// may be that of an MCP server.
func (c Client) network(base http.RoundTripper) (http.RoundTripper, error) {
	plain, ok := base.(*http.Transport)
	if !ok || c.CAFile == "" && c.Proxy == "" {
		return base, nil
	}
	own := plain.Clone()
	if c.CAFile != "" {
		roots, err := c.roots()
		if err != nil {
			return nil, err
		}
		if own.TLSClientConfig == nil {
			own.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		own.TLSClientConfig.RootCAs = roots
	}
	if c.Proxy != "" {
		proxy, err := url.Parse(c.Proxy)
		if err != nil {
			return nil, &ClientError{Field: "proxy", Reason: "is no URL"}
		}
		own.Proxy = http.ProxyURL(proxy)
	}
	return own, nil
}

// way is the same for clients that reach the same provider in the same way.
func (c Client) way() string { return c.metadataURL() + "\n" + c.CAFile + "\n" + c.Proxy }

// roots are the system's certificates and those of the profile.
func (c Client) roots() (*x509.CertPool, error) {
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, &ClientError{Field: "ca_file", Reason: "cannot be read: " + err.Error()}
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, &ClientError{Field: "ca_file", Reason: "holds no certificate in PEM: " + c.CAFile}
	}
	return roots, nil
}
