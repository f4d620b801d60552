// Package manpages writes the manual pages of a command tree. It is a package of
// its own because the library that it needs is for no other command, and package
// cmd is also what the lean proxy program is made of.
package manpages

import (
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// Write writes one page for each visible command of root to dir, which must be
// there. date stands in the pages, so that two builds of one commit write the same
// bytes; source is the program with its version. It changes the texts of root.
func Write(root *cobra.Command, dir, source string, date time.Time) error {
	prepare(root)
	date = date.UTC()
	return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: source, Manual: "mcpauth manual", Date: &date}, dir)
}

// prepare makes the texts of a command and of all below it what the library, which
// takes them for Markdown, will show as they are.
func prepare(c *cobra.Command) {
	c.DisableAutoGenTag = true
	c.Long = markdown(c.Long)
	for _, child := range c.Commands() {
		prepare(child)
	}
}

// markdown marks indented lines as what they are, command lines, and keeps the
// characters that mean something in Markdown.
func markdown(text string) string {
	var b strings.Builder
	inCode := false
	for line := range strings.Lines(text) {
		code := strings.HasPrefix(line, "  ")
		if code != inCode {
			b.WriteString("\n")
		}
		if inCode = code; code {
			b.WriteString("    " + strings.TrimPrefix(line, "  "))
			continue
		}
		b.WriteString(escapes.Replace(line))
	}
	return b.String()
}

var escapes = strings.NewReplacer("_", `\_`, "*", `\*`, "<", `\<`)
