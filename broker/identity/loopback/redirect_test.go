package loopback

import "testing"

func TestRedirectURIs(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"http://127.0.0.1/callback":                "127.0.0.1:0",
		"http://127.0.0.1:0/callback":              "127.0.0.1:0",
		"http://localhost:3001/oauth/callback":     "127.0.0.1:3001",
		"http://[::1]:8765":                        "[::1]:8765",
		"http://LOCALHOST:1/callback":              "", // a browser comes back to localhost
		"http://127.1:1/callback":                  "",
		"http://[0:0:0:0:0:0:0:1]:1/callback":      "",
		"http://[::ffff:127.0.0.1]:1/callback":     "",
		"https://127.0.0.1/callback":               "",
		"http://login.example.com/callback":        "",
		"http://0.0.0.0:1/callback":                "",
		"http://127.0.0.1/callback?x=1":            "",
		"http://127.0.0.1/call%20back":             "",
		"http://127.0.0.1/callback#x":              "",
		"com.example.app:/callback":                "",
		"urn:ietf:wg:oauth:2.0:oob":                "",
		"http://127.0.0.1:99999999999999/callback": "",
	} {
		redirect, err := ParseRedirect(raw)
		switch {
		case want == "" && err == nil:
			if _, _, err := redirect.Settle(); err == nil {
				t.Errorf("%s was accepted", raw)
			}
		case want == "":
		case err != nil:
			t.Errorf("%s: %v", raw, err)
		case redirect.address() != want:
			t.Errorf("%s listens on %s, want %s", raw, redirect.address(), want)
		}
	}
}
