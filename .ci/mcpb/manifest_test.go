package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// With $MANIFEST the manifest is written there, for tools that judge it.
func TestManifest(t *testing.T) {
	text, err := json.MarshalIndent(manifest("1.2.3"), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"version": "1.2.3"`) {
		t.Errorf("%s", text)
	}
	if path := os.Getenv("MANIFEST"); path != "" {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
