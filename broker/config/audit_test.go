package config

import (
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
)

func TestAuditConfiguration(t *testing.T) {
	c, err := Parse("", []byte("[audit]\ncontent = true\nkeep = \"30d\"\nmax_size = \"2MB\"\n"))
	if err != nil || !c.Audit.Content || c.Audit.KeepFor() != 30*24*time.Hour || c.Audit.MaxBytes() != 2<<20 {
		t.Errorf("%+v, %v", c.Audit, err)
	}
	var none Audit
	if none.Content || none.KeepFor() != defaultKeep || none.MaxBytes() != audit.DefaultMaxSize {
		t.Error("the defaults are others")
	}
	if keep := (Audit{Keep: "forever"}).KeepFor(); keep != 0 {
		t.Errorf("for ever is %v", keep)
	}
	for text, want := range map[string]string{
		"[audit]\nkeep = 90":                   "config:2: keep must be a string",
		"[audit]\nkeep = \"1h\"":               "config:2: keep must be a day or more",
		"[audit]\nkeep = \"soon\"":             "config:2: keep must be a day or more",
		"[audit]\n\nmax_size = \"1KB\"":        "config:3: max_size must be a size from",
		"[audit]\nmax_size = \"2048GB\"":       "config:2: max_size must be a size from",
		"[audit]\nmax_size = \"lots\"":         "config:2: max_size must be a size from",
		"[audit]\ncontent = \"yes\"":           "config:2: content must be true or false",
		"[audit]\ncontents = true":             "did you mean content?",
		"audit = true":                         "config:1: audit must be a table",
		"[audit.keep]\nx = 1":                  "config:1: keep in [audit] is a value",
		"[audit]\ncontent = true\nrule = \"\"": "config:3: unknown key \"rule\" in [audit]",
	} {
		if _, err := Parse("config", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
