package transparency

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeNamesTests: the tables say which test shows what, so each of them
// has to be there.
func TestReadmeNamesTests(t *testing.T) {
	text, err := os.ReadFile("README.md")
	must(t, err)
	names := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(string(text), -1)
	if len(names) < 30 {
		t.Fatalf("found only %d names", len(names))
	}
	found, err := exec.Command("grep", "-rhE", "--include=*_test.go", "^func Test", ".", "../../broker", "../../cmd").Output()
	must(t, err)
	for _, name := range names {
		if !strings.Contains(string(found), "func "+name[1]+"(") {
			t.Errorf("there is no %s", name[1])
		}
	}
}
