package tui

import (
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

// commandFor is the command line that makes the same call, for a POSIX shell and
// without what is secret. Texts are written as key=value, all else as key:=json;
// where names cannot be spelled so, all of it is given to --input.
func commandFor(o broker.Overrides, c *call) string {
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
	if slices.ContainsFunc(c.safe.members, func(m jsonMember) bool { return !plainName(m.name) }) {
		pipe = "printf %s " + broker.QuoteWord(c.safe.compact()) + " | "
		words = append(words, "--input", "-")
	} else {
		words = append(words, c.pairs()...)
	}
	if len(o.Command) > 0 {
		words = append(append(words, "--"), o.Command...)
	}
	for i, word := range words {
		words[i] = broker.QuoteWord(word)
	}
	return pipe + strings.Join(words, " ")
}

// pairs are the arguments as words. key=value is read as the schema wants it, so
// that it is for texts alone.
func (c *call) pairs() []string {
	var words []string
	for _, m := range c.safe.members {
		isText := slices.ContainsFunc(c.tool.plan.members(), func(f *spec) bool { return f.name == m.name && f.kind == kindText && !f.nullable })
		if isText && m.value.kind == '"' {
			words = append(words, m.name+"="+m.value.text)
		} else {
			words = append(words, m.name+":="+m.value.compact())
		}
	}
	return words
}

// plainName reports whether a name can stand before = or :=, and is no path.
func plainName(name string) bool {
	return name != "" && name[0] != '-' && !strings.ContainsAny(name, "=:.[]")
}
