package toolargs

import (
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

var (
	uuidShape = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	})
	timeShape = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(?i:z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)
	})
)

// formats are those that are checked: what a value must be, and whether it is.
var formats = map[string]struct {
	is   string
	fits func(s string) bool
}{
	"date":      {"a date like 2026-01-31", func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }},
	"date-time": {"a time like 2026-01-31T09:30:00Z", func(s string) bool { _, err := time.Parse(time.RFC3339, s); return err == nil }},
	"time":      {"a time like 09:30:00Z", func(s string) bool { return timeShape().MatchString(s) }},
	"email":     {"an email address", func(s string) bool { a, err := mail.ParseAddress(s); return err == nil && a.Address == s }},
	"uri":       {"an address with a scheme, like https://…", hasScheme},
	"url":       {"an address with a scheme, like https://…", hasScheme},
	"uuid":      {"a UUID", func(s string) bool { return uuidShape().MatchString(s) }},
	"ipv4":      {"an IPv4 address", func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is4() }},
	"ipv6":      {"an IPv6 address", func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is6() }},
	"json":      {"JSON", isJSON},
	"regex":     {"a regular expression", func(s string) bool { _, err := regexp.Compile(s); return err == nil }},
}

func hasScheme(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != ""
}

func isJSON(s string) bool {
	_, err := Parse([]byte(s))
	return err == nil
}

// wrongFormat says what a string must be to be of a format, or nothing.
func wrongFormat(format, s string) string {
	if f, known := formats[format]; known && !f.fits(s) {
		return f.is
	}
	return ""
}

// Note says what of the schema is not understood, and so not checked; empty for
// nothing.
func (s *Schema) Note() string {
	var odd []string
	s.note(s.root, &odd, 0)
	if len(odd) == 0 {
		return ""
	}
	const most = 3
	if len(odd) > most {
		odd = append(odd[:most], fmt.Sprintf("%d more", len(odd)-most))
	}
	return "not checked: " + strings.Join(odd, ", ")
}

func (s *Schema) note(v *Value, odd *[]string, depth int) {
	if depth > 100 {
		return
	}
	for _, item := range v.Items {
		s.note(item, odd, depth+1)
	}
	for _, m := range v.Members {
		switch m.Name {
		case "default", "examples", "enum", "const", "$comment":
			continue
		case "pattern":
			if _, err := regexp.Compile(m.Value.Text); m.Value.Kind == '"' && err != nil {
				*odd = append(*odd, "the pattern "+m.Value.Text)
			}
		case "$ref":
			if m.Value.Kind == '"' && s.resolve(m.Value.Text) == nil {
				*odd = append(*odd, "the schema at "+m.Value.Text)
			}
		case "type":
			if (m.Value.Kind == '"' || m.Value.Kind == '[') && len(typeNames(m.Value)) == 0 {
				*odd = append(*odd, "the type "+m.Value.Compact())
			}
		}
		s.note(m.Value, odd, depth+1)
	}
}

// wrongSize says how many of something there must be, or nothing.
func wrongSize(n, least, most int, what string) string {
	plural := func(n int) string {
		if n == 1 {
			return fmt.Sprintf("%d %s", n, what)
		}
		return fmt.Sprintf("%d %ss", n, what)
	}
	switch {
	case n < least:
		return fmt.Sprintf("must have at least %s, not %d", plural(least), n)
	case most >= 0 && n > most:
		return fmt.Sprintf("must have at most %s, not %d", plural(most), n)
	}
	return ""
}
