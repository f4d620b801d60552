package keychain

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestReadFile(t *testing.T) {
	tests := []struct {
		name, text string
		mode       os.FileMode
		want       string // of the secret
		says       string // of the error
	}{
		{name: "a line", text: "CANARY secret\n", mode: 0o600, want: "CANARY secret"},
		{name: "no end of line", text: "CANARY", mode: 0o400, want: "CANARY"},
		{name: "Windows' end of line", text: "CANARY\r\n", mode: 0o600, want: "CANARY"},
		{name: "empty", text: "\n", mode: 0o600, says: "it is empty"},
		{name: "two lines", text: "CANARY\nCANARY\n", mode: 0o600, says: "more than one line"},
		{name: "a book", text: strings.Repeat("CANARY", 1000), mode: 0o600, says: "longer than"},
		{name: "for the group", text: "CANARY", mode: 0o640, says: "chmod 600"},
		{name: "for all", text: "CANARY", mode: 0o604, says: "chmod 600"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && test.says == "chmod 600" {
				return // files have no mode there
			}
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte(test.text), test.mode); err != nil {
				t.Fatal(err)
			}
			got, err := ReadFile(path)
			if got.Reveal() != test.want || (err != nil) != (test.says != "") {
				t.Fatalf("got %d bytes, %v", len(got.Reveal()), err)
			}
			if err != nil && (!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "CANARY") || !strings.Contains(err.Error(), path)) {
				t.Errorf("error: %v", err)
			}
		})
	}
	for name, path := range map[string]string{"a folder": t.TempDir(), "nothing": filepath.Join(t.TempDir(), "none")} {
		if _, err := ReadFile(path); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
