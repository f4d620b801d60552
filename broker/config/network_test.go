package config

import (
	"strings"
	"testing"
)

// What the terminal knows of the way to the provider is remembered; what the profile
// says is stronger; and where a server is started the variables are that server's.
func TestWayToTheProvider(t *testing.T) {
	const file = "[profiles.p]\nissuer = \"https://login.example.com\"\nclient_id = \"x\"\n"
	ca, proxy := []string{"SSL_CERT_FILE", "/t.pem"}, []string{"HTTPS_PROXY", "http://proxy:8080"}
	tests := []struct {
		name, file string
		overrides  Overrides
		env        []string
		ca, proxy  string
	}{
		{"nothing", file, Overrides{}, nil, "", ""},
		{"of the terminal", file, Overrides{}, append(ca, proxy...), "/t.pem", "http://proxy:8080"},
		{"small letters", file, Overrides{}, []string{"https_proxy", "http://proxy:8080"}, "", "http://proxy:8080"},
		{"not for this host", file, Overrides{}, append(proxy, "NO_PROXY", ".example.com"), "", ""},
		{"a password", file, Overrides{}, []string{"HTTPS_PROXY", "http://u:CANARY@proxy:8080"}, "", ""},
		{"of the server", file, Overrides{Serves: true}, append(ca, proxy...), "", ""},
		{"of the profile", file + "ca_file = \"/p.pem\"\nproxy = \"http://own:1\"\n", Overrides{}, append(ca, proxy...), "/p.pem", "http://own:1"},
		{"by flag", file, Overrides{CAFile: "/f.pem"}, ca, "/f.pem", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config, err := Parse("config.toml", []byte(tt.file))
			if err != nil {
				t.Fatal(err)
			}
			r, err := config.Resolve(tt.overrides, vars(tt.env...))
			if err != nil || r.CAFile != tt.ca || r.Proxy != tt.proxy {
				t.Errorf("ca_file %q, proxy %q, %v", r.CAFile, r.Proxy, err)
			}
		})
	}
	if _, err := Parse("config.toml", []byte(file+"proxy = \"http://u:CANARY@proxy\"\n")); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("a password in the file: %v", err)
	}
}
