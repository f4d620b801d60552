package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// What makes a file fit to hold a secret is tested where it is read, in keychain.
func TestSecretFileProblems(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if secret, err := ReadSecretFile(write("good", "s3cret\n", 0o400)); err != nil || secret.Reveal() != "s3cret" {
		t.Error(err)
	}
	_, err := ReadSecretFile(write("long", "s3cret\nother\n", 0o400))
	if found := problem.Of(err); found.Code != problem.ExitUsage || !strings.Contains(found.Msg, "more than one line") {
		t.Errorf("%+v", found)
	}
	if runtime.GOOS == "windows" {
		return // modes mean nothing there
	}
	exposed := filepath.Join(dir, "exposed")
	write("exposed", "s3cret\n", 0o600)
	if err := os.Chmod(exposed, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err = ReadSecretFile(exposed)
	if found := problem.Of(err); len(found.Hints) != 1 || !strings.Contains(found.Hints[0], "new secret at the provider") {
		t.Errorf("%+v", found)
	}
}
