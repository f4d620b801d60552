package audit

import (
	"strings"
	"testing"
)

func TestSecretsAreRedacted(t *testing.T) {
	const canary = "CANARY"
	tests := map[string]struct{ name, value string }{
		"by name":          {"password", `"CANARY"`},
		"by part of name":  {"githubToken", `"CANARY"`},
		"object by name":   {"credentials", `{"a":"CANARY"}`},
		"member":           {"config", `{"user":"ada","Api-Key":"CANARY"}`},
		"deep member":      {"config", `[{"x":[{"client_secret":["CANARY"]}]}]`},
		"escaped name":     {"config", `{"pass\u0077ord":"CANARY"}`},
		"JSON in a text":   {"body", `"{\"token\":\"CANARY\"}"`},
		"JWT":              {"q", `"x eyJhbGciOiJub25lIn0.CANARY.CANARY y"`},
		"bearer":           {"header", `"Bearer CANARYCANARY"`},
		"URL":              {"dsn", `"postgres://ada:CANARY@db/x"`},
		"assignment":       {"command", `"deploy PASSWORD=CANARY now"`},
		"private key":      {"text", `"-----BEGIN RSA PRIVATE KEY-----\nCANARY\n-----END RSA PRIVATE KEY-----"`},
		"cut private key":  {"text", `"-----BEGIN PRIVATE KEY-----\nCANARY"`},
		"no JSON":          {"q", `"CANARY`},
		"too long to read": {"q", `"` + strings.Repeat("CANARY", 4000) + `"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Redact(test.name, []byte(test.value)); strings.Contains(got, canary) || !strings.Contains(got, Redacted) {
				t.Errorf("%.200s", got)
			}
		})
	}
	if got := Redact("n", []byte("4111111111111111")); got != `"[redacted]"` {
		t.Errorf("a card number is kept: %s", got)
	}
}

func TestOtherValuesAreKept(t *testing.T) {
	for _, value := range []string{`"late orders"`, `5`, `12345678901`, `true`, `null`, `["a",{"b":1.50}]`, `"{not json"`} {
		if got := Redact("query", []byte(value)); got != value {
			t.Errorf("%s became %s", value, got)
		}
	}
}

func TestURIsAreRedacted(t *testing.T) {
	for uri, want := range map[string]string{
		"file:///srv/orders.csv":                "file:///srv/orders.csv",
		"https://x.example/a?page=2&session=S3": "https://x.example/a?page=2&session=redacted",
		"https://x.example/a?token=S3&page=2":   "https://x.example/a?[redacted]&page=2",
		"https://x.example/#id_token=S3":        "https://x.example/#id_token=redacted",
		"postgres://ada:S3@db/x":                "postgres[redacted]db/x",
		"orders://latest?since=2026-01-01#rows": "orders://latest?since=2026-01-01#rows",
		"%zz://ada:S3@db":                       "%zz[redacted]db",
	} {
		if got := RedactURI(uri); got != want {
			t.Errorf("%s became %s, want %s", uri, got, want)
		}
	}
}
