package broker

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
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
	if secret, err := readSecretFile(write("good", "s3cret\n", 0o400)); err != nil || secret.Reveal() != "s3cret" {
		t.Error(err)
	}
	_, err := readSecretFile(write("long", "s3cret\nother\n", 0o400))
	if problem := AsProblem(err); problem.Code != ExitUsage || !strings.Contains(problem.Msg, "more than one line") {
		t.Errorf("%+v", problem)
	}
	if runtime.GOOS == "windows" {
		return // modes mean nothing there
	}
	exposed := filepath.Join(dir, "exposed")
	write("exposed", "s3cret\n", 0o600)
	if err := os.Chmod(exposed, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err = readSecretFile(exposed)
	if problem := AsProblem(err); len(problem.Hints) != 1 || !strings.Contains(problem.Hints[0], "new secret at the provider") {
		t.Errorf("%+v", problem)
	}
}
