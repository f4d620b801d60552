package text

import (
	"strings"
	"testing"
)

func TestServerNameHidesArguments(t *testing.T) {
	for command, want := range map[string]string{
		"/usr/bin/python3 /srv/main.py --key hunter2": "python3 main.py",
		"python3 -m orders":                           "python3",
		"/opt/orders-mcp hunter2":                     "orders-mcp",
		"node.exe server.js":                          "node.exe server.js",
	} {
		if got := ServerName(strings.Fields(command)); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}
