package broker

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestSecretFile(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		mode os.FileMode
		want string // of the error; empty for none
	}{
		"good":           {"s3cret\n", 0o400, ""},
		"good, Windows":  {"s3cret\r\n", 0o600, ""},
		"empty":          {"\n", 0o400, "is empty"},
		"two lines":      {"s3cret\nother\n", 0o400, "more than one line"},
		"large":          {strings.Repeat("s", maxSecretFile+1), 0o400, "larger than"},
		"group can read": {"s3cret\n", 0o440, "other users can read"},
		"all can write":  {"s3cret\n", 0o602, "other users can read"},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && strings.Contains(tt.want, "other users") {
				return // modes mean nothing there
			}
			path := filepath.Join(t.TempDir(), "secret")
			if err := errors.Join(os.WriteFile(path, []byte(tt.text), 0o600), os.Chmod(path, tt.mode)); err != nil {
				t.Fatal(err)
			}
			secret, err := readSecretFile(path)
			switch {
			case tt.want == "" && (err != nil || secret.Reveal() != "s3cret"):
				t.Errorf("%v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret")):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := readSecretFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a folder: %v", err)
	}
}
