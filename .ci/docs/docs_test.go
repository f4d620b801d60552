// Package docs runs what the documentation says to type, with the real program,
// a real keychain and a provider on loopback:
//
//	.ci/keyring go test ./.ci/docs
//
// Each document starts on a machine of its own: an empty HOME, or one that is
// set up as the document supposes. A command that cannot run here is in
// elsewhere, with the reason; any other that fails is an error.
package docs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDocumentationRuns(t *testing.T) {
	machines := map[string]*machine{}
	excused := map[string]bool{}
	ran := 0
	for _, b := range blocks(t) {
		b.commands = slices.DeleteFunc(b.commands, func(command string) bool {
			_, ok := elsewhere[command]
			excused[command] = excused[command] || ok
			return ok
		})
		if len(b.commands) == 0 {
			continue
		}
		m := machines[b.document]
		if m == nil {
			m = newMachine(t, setUps[b.document])
			machines[b.document] = m
		}
		ran += len(b.commands)
		t.Run(b.document+"/"+b.commands[0], func(t *testing.T) { m.check(t, b) })
	}
	if ran == 0 {
		t.Error("no command of any document was run")
	}
	for command := range elsewhere {
		if !excused[command] {
			t.Errorf("no document says %q any more: its excuse is old", command)
		}
	}
}

// check runs a block as a reader would, and looks whether the answer still looks
// like the one that is printed.
func (m *machine) check(t *testing.T, b block) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	script := m.here(b.script())
	shell := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	shell.Env, shell.Dir = m.environ(), filepath.Join(m.clone, folders[b.document])
	shell.Cancel = func() error { return shell.Process.Signal(os.Interrupt) }
	shell.WaitDelay = 5 * time.Second
	output, err := shell.CombinedOutput()
	t.Logf("%s\n%s", script, output)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range b.answer {
		if word := firstWord(line); word != "" && !strings.Contains(string(output), word) {
			t.Errorf("the document shows a line %q, but nothing like %q came", line, word)
		}
	}
}

// firstWord is what a line of the document begins with, up to what differs from
// run to run; empty where that is at once.
func firstWord(line string) string {
	word, _, _ := strings.Cut(line, " ")
	if strings.ContainsAny(word, "…0123456789") || strings.Contains(word, "://") {
		return ""
	}
	return strings.TrimSuffix(word, ",")
}
