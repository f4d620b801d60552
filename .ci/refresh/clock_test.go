package refresh

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// clockVariable names a file with the number of seconds that the wall clock of
// a mcpauth-shifted is ahead. That is mcpauth with another time.Now: faketime
// does not reach a static Go program, and a switch in mcpauth itself would be
// one for attackers, too. The file may change while the program runs.
const clockVariable = "REFRESH_TEST_CLOCK"

// clockOverlay writes what `go build -overlay` needs for that and returns the
// path of its JSON file.
func clockOverlay(dir string) (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("where Go is: %w", err)
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src/time")
	text, err := os.ReadFile(filepath.Join(source, "time.go"))
	if err != nil {
		return "", err
	}
	const now = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	patched := strings.Replace(string(text), now, now+"\tsec += shiftedBy()\n", 1)
	if patched == string(text) {
		return "", fmt.Errorf("time.Now of %s is not as expected", source)
	}
	files := map[string]string{"time.go": patched, "shifted.go": shifted}
	replace := map[string]string{}
	for name, text := range files {
		path := filepath.Join(dir, "overlay-"+name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(source, name)] = path
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, list, 0o600)
}

// shifted is the file that joins package time. The runtime calls time.Now where
// no system call may be made, so a goroutine reads the file.
const shifted = `package time

import (
	"sync/atomic"
	"syscall"
)

var shift atomic.Int64

func shiftedBy() int64 { return shift.Load() }

func init() {
	path, _ := syscall.Getenv("` + clockVariable + `")
	if path == "" {
		return
	}
	shift.Store(readShift(path))
	go func() {
		for {
			Sleep(5 * Millisecond)
			shift.Store(readShift(path))
		}
	}()
}

func readShift(path string) int64 {
	file, err := open(path)
	if err != nil {
		panic("no clock file")
	}
	defer closefd(file)
	text := make([]byte, 32)
	n, _ := read(file, text)
	seconds, sign := int64(0), int64(1)
	for _, c := range text[:max(n, 0)] {
		switch {
		case c == '-':
			sign = -1
		case '0' <= c && c <= '9':
			seconds = seconds*10 + int64(c-'0')
		}
	}
	return sign * seconds
}
`
