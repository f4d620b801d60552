package tools

import (
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
)

// commandFor is the command line that makes the same call, for a POSIX shell and
// without what is secret. Texts are written as key=value, all else as key:=json;
// where names cannot be spelled so, all of it is given to --input.
func commandFor(o config.Overrides, c *call) string {
	words := []string{"mcpauth", "tools", "call"}
	if o.Profile != "" {
		words = append(words, "--profile", o.Profile)
	}
	if o.Cwd != "" {
		words = append(words, "--cwd", o.Cwd)
	}
	if c.anyway {
		words = append(words, "--no-validate")
	}
	words = append(words, c.tool.Name)
	pipe := ""
	if slices.ContainsFunc(c.safe.Members, func(m toolargs.Member) bool { return !plainName(m.Name) }) {
		pipe = "printf %s " + text.QuoteWord(c.safe.Compact()) + " | "
		words = append(words, "--input", "-")
	} else {
		words = append(words, c.pairs()...)
	}
	if len(o.Command) > 0 {
		words = append(append(words, "--"), o.Command...)
	}
	return pipe + text.CommandLine(words...)
}

// pairs are the arguments as words. key=value is read as the schema needs it, so
// that it is for texts alone.
func (c *call) pairs() []string {
	var words []string
	for _, m := range c.safe.Members {
		f := c.tool.input.Field(m.Name)
		isText := f != nil && f.Kind == toolargs.Text && !f.Nullable
		if isText && m.Value.Kind == '"' {
			words = append(words, m.Name+"="+m.Value.Text)
		} else {
			words = append(words, m.Name+":="+m.Value.Compact())
		}
	}
	return words
}

// plainName reports whether a name can stand before = or :=, and is no path.
func plainName(name string) bool {
	return name != "" && name[0] != '-' && !strings.ContainsAny(name, "=:.[]")
}
