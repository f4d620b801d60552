package suite

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
)

// StartProvider starts a provider that says one line of JSON when it is there,
// which is read into said, and that ends when its standard input does.
func StartProvider(t *testing.T, said any, argv ...string) {
	t.Helper()
	provider := exec.Command(argv[0], argv[1:]...)
	provider.Stderr = os.Stderr
	stdin, err := provider.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := provider.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := provider.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := provider.Wait(); err != nil {
			t.Errorf("provider: %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, said)
	}
	if err != nil {
		t.Fatalf("provider said %q: %v", line, err)
	}
}

// NoSecretIn finds what matches canary in the files below a folder.
func NoSecretIn(t *testing.T, folder string, canary *regexp.Regexp) {
	t.Helper()
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // it may be gone by now
		}
		if data, err := os.ReadFile(path); err == nil && canary.Match(data) {
			t.Errorf("a secret of the provider lies in %s", path)
		}
		return nil
	})
}

// Output is what a program says, for a writer and a reader at once. The zero
// value is empty.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String is all that was said so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
