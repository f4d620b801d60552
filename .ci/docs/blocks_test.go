package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

const repository = "../.."

// block is a fenced piece of a document that a reader may type.
type block struct {
	document string   // path below the repository
	commands []string // what is typed, a command each, in one shell
	answer   []string // what comes back; nil where the document does not show it
}

var fence = regexp.MustCompile("(?ms)^ *```(sh|console)\n(.*?)^ *```$")

// blocks are those of all documents, in order.
func blocks(t *testing.T) []block {
	t.Helper()
	var all []block
	for _, path := range suite.Files(t, repository, ".md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		document, err := filepath.Rel(repository, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
			b := block{document: filepath.ToSlash(document)}
			for line := range strings.Lines(m[2]) {
				b.add(strings.TrimSpace(line), m[1] == "console")
			}
			all = append(all, b)
		}
	}
	return all
}

// add adds a line, which is typed or, at a terminal and without a prompt, an
// answer.
func (b *block) add(line string, terminal bool) {
	command, prompted := strings.CutPrefix(line, "$ ")
	command, _, _ = strings.Cut(command, " #") // a remark
	command = strings.TrimSpace(command)
	last := len(b.commands) - 1
	switch {
	case last >= 0 && strings.HasSuffix(b.commands[last], `\`):
		b.commands[last] += "\n" + command
	case command == "":
	case terminal && !prompted:
		b.answer = append(b.answer, line)
	default:
		b.commands = append(b.commands, command)
	}
}

// script is what is typed, as one shell script.
func (b *block) script() string {
	var script strings.Builder
	for _, command := range b.commands {
		if code, ok := exits[command]; ok {
			command = fmt.Sprintf("(%s) && exit 99 || [ $? = %d ]", command, code)
		}
		script.WriteString(command + "\n")
	}
	return script.String()
}
