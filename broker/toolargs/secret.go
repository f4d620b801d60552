package toolargs

import (
	"regexp"
	"strings"
	"sync"
)

var (
	secretWords = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(^|_)(token|secret|password|passwd|passphrase|credentials?|api_?key|access_?key|private_?key|secret_?key|client_?secret|authorization)$`)
	})
	cursorWords = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(page|next|continuation|sync|cursor|start)_token$`) })
	wordEdge    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([a-z0-9])([A-Z])`) })
	longText    = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)^(body|contents?|markdown|code|script|html|function|thought|new_?(str|text)|old_?(str|text)|.*_(body|content|markdown))$`)
	})
)

// SecretName reports whether a name says that its value is a secret, and not the
// mark of a page.
func SecretName(name string) bool {
	name = strings.ToLower(wordEdge().ReplaceAllString(strings.ReplaceAll(name, "-", "_"), "${1}_$2"))
	return secretWords().MatchString(name) && !cursorWords().MatchString(name)
}

// multiline reports whether a string of this name and schema wants more than a line.
func (p place) multiline(name string) bool {
	format := p.text("format")
	if strings.HasPrefix(p.text("contentMediaType"), "text/") || format == "json" {
		return true
	}
	return format == "" && p.text("pattern") == "" && (longText().MatchString(name) || p.count("maxLength") > 400)
}
