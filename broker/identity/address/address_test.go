package address

import (
	"net/url"
	"strings"
	"testing"
)

func TestValidateAuthorizeURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		"https://login.example.com/authorize?a=b&c=%20d": true,
		"http://127.0.0.1:8080/authorize":                true,
		"http://localhost/":                              true,
		"http://[::1]:1/":                                true,
		"HTTPS://login.example.com":                      true,
		"":                                               false,
		"-https://login.example.com":                     false,
		"--help":                                         false,
		"//login.example.com/":                           false,
		"https:login.example.com":                        false,
		"https:///x":                                     false,
		"https://:443/":                                  false,
		"http://login.example.com/":                      false,
		"javascript:alert(1)//https://x":                 false,
		"data:text/html,x":                               false,
		"vbscript:x":                                     false,
		"file:///etc/passwd":                             false,
		"https://user@login.example.com/":                false,
		"https://login.example.com/#f":                   false,
		"https://login.example.com/a b":                  false,
		"https://login.example.com/\n":                   false,
		"https://login.example.com/\x00":                 false,
		"https://login.example.com/\x7f":                 false,
		"https://login.example.com/é":                    false,
		`https://login.example.com/"`:                    false,
		"https://login.example.com/'":                    false,
		"https://login.example.com/`id`":                 false,
		`https://login.example.com\@evil.example/`:       false,
		"https://login.example.com/^&calc":               false,
		"https://login.example.com/%zz":                  false,
		"https://login.example.com:port/":                false,
		"https://" + strings.Repeat("x", maxForBrowser):  false,
	} {
		got, err := ForBrowser(raw)
		if (err == nil) != want {
			t.Errorf("%.60q: %q, %v", raw, got, err)
		}
	}
}

// A provider's document runs no command, by whatever opener the address goes.
func TestAttackCommandInAnAddress(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://idp.example/auth?x=$(calc.exe)":         "https://idp.example/auth?x=%24%28calc.exe%29",
		"https://idp.example/a;calc;/b!?x=*&y=1;2":       "https://idp.example/a%3Bcalc%3B/b%21?x=%2A&y=1%3B2",
		"https://idp.example/?a[]=%zz&b=%&c=%4":          "https://idp.example/?a%5B%5D=%25zz&b=%25&c=%254",
		"https://idp.example/%24(x)?p=a+b,c@d-e_f.g~h:i": "https://idp.example/%24%28x%29?p=a+b,c@d-e_f.g~h:i",
		"https://idp.example/?%20=%3D&state=a%2Bb":       "https://idp.example/?%20=%3D&state=a%2Bb",
		"https://idp.example?":                           "https://idp.example",
		"http://[::1]:8080/x":                            "http://[::1]:8080/x",
		"https://$(calc.exe).idp.example/":               "",
		"https://idp.example;calc/":                      "",
		"https://idp.example&calc/":                      "",
		"https://a'b.example/":                           "",
		"https://a%24b.example/":                         "",
		"https://[::1%25$(calc)]/":                       "",
		"https://[v1.$(calc)]/":                          "",
	} {
		got, err := ForBrowser(raw)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s became %q, %v", raw, got, err)
		}
	}
}

// Whatever is accepted is https or loopback and comes back the same when read
// again: there is no second reading of it.
func FuzzValidateAuthorizeURL(f *testing.F) {
	for _, seed := range []string{"https://a/?b=c", "http://localhost:1/x%2Fy", "http://[::1%25en0]/", "https://a:@b", "https://a\\b", "//x", "https://ſ/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := ForBrowser(raw)
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.String() != got || u.User != nil || u.Host == "" || u.Fragment != "" {
			t.Fatalf("%q became %q: %v", raw, got, err)
		}
		if u.Scheme != "https" && !(u.Scheme == "http" && IsLoopback(u.Hostname())) {
			t.Fatalf("%q became %q", raw, got)
		}
		if strings.ContainsAny(strings.TrimPrefix(got, u.Scheme+"://"+u.Host), " \"'`<>\\\r\n\t\x00$();!*[]{}|^#") || !strings.HasPrefix(got, "http") {
			t.Fatalf("%q became %q", raw, got)
		}
	})
}
