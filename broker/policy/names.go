package policy

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// match reports whether a name matches a pattern, in which "*" stands for any
// number of characters. It takes time that grows with the length of both only.
func match(pattern, name string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	name = name[len(head):]
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, part)
		}
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name, rest = name[at+len(part):], after
	}
}

// Match reports whether a name matches one of the patterns.
func Match(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, name) })
}

// names finds what belongs to the patterns that match a name, without trying
// each: a thousand patterns cost a handful of look-ups.
type names[T any] struct {
	exact    map[string][]T
	byPrefix map[string][]pattern[T]
	bySuffix map[string][]pattern[T]
	prefixes []int // the lengths that there are
	suffixes []int
	rest     []pattern[T] // with neither prefix nor suffix
}

type pattern[T any] struct {
	text string
	what T
}

func (n *names[T]) add(text string, what T) {
	first := strings.IndexByte(text, '*')
	if first < 0 {
		if n.exact == nil {
			n.exact = map[string][]T{}
		}
		n.exact[text] = append(n.exact[text], what)
		return
	}
	p := pattern[T]{text, what}
	suffix := text[strings.LastIndexByte(text, '*')+1:]
	switch {
	case first == 0 && suffix == "":
		n.rest = append(n.rest, p)
	case first >= len(suffix):
		addByEnd(&n.byPrefix, &n.prefixes, text[:first], p)
	default:
		addByEnd(&n.bySuffix, &n.suffixes, suffix, p)
	}
}

func addByEnd[T any](by *map[string][]pattern[T], lengths *[]int, end string, p pattern[T]) {
	if *by == nil {
		*by = map[string][]pattern[T]{}
	}
	(*by)[end] = append((*by)[end], p)
	if at, there := slices.BinarySearch(*lengths, len(end)); !there {
		*lengths = slices.Insert(*lengths, at, len(end))
	}
}

// each calls f with what belongs to every pattern that matches, until f says stop.
func (n *names[T]) each(name string, f func(T) (stop bool)) {
	for _, what := range n.exact[name] {
		if f(what) {
			return
		}
	}
	try := func(list []pattern[T]) bool {
		for _, p := range list {
			if match(p.text, name) && f(p.what) {
				return true
			}
		}
		return false
	}
	for _, length := range n.prefixes {
		if length > len(name) {
			break
		}
		if try(n.byPrefix[name[:length]]) {
			return
		}
	}
	for _, length := range n.suffixes {
		if length > len(name) {
			break
		}
		if try(n.bySuffix[name[len(name)-length:]]) {
			return
		}
	}
	try(n.rest)
}

func (n *names[T]) none() bool {
	return len(n.exact)+len(n.byPrefix)+len(n.bySuffix)+len(n.rest) == 0
}

func (n *names[T]) has(name string) bool {
	found := false
	n.each(name, func(T) bool { found = true; return true })
	return found
}

// wideNames finds what belongs to a name, or to one that a person or a careless
// server could take for it: "Delete" is no way around a rule about "delete".
type wideNames[T any] struct{ exact, alike names[T] }

func (w *wideNames[T]) add(kind Kind, text string, what T) {
	w.exact.add(text, what)
	if kind != Resource && kind != Template {
		w.alike.add(fold(text), what)
		return
	}
	forms := deniedPatterns(text)
	for i, form := range forms {
		if !slices.Contains(forms[:i], form) {
			w.alike.add(form, what)
		}
	}
}

func (w *wideNames[T]) none() bool { return w.exact.none() }

// each calls f, perhaps more than once for the same, until it says stop.
func (w *wideNames[T]) each(item Item, f func(T) (stop bool)) {
	if w.none() {
		return
	}
	stopped := false
	stop := func(what T) bool { stopped = f(what); return stopped }
	w.exact.each(item.Name, stop)
	if !stopped {
		w.alike.each(fold(item.Name), stop)
	}
	if item.Kind != Resource && item.Kind != Template || stopped {
		return
	}
	for _, reading := range deniedReadings(item.Name) {
		if w.alike.each(reading, stop); stopped {
			return
		}
	}
}

// fold gives names that a person, or a careless server, could take for each
// other the same form: letter case, full width and other compatible forms,
// letters of other scripts that look like Latin ones, blanks at the ends and what
// cannot be seen do not count.
func fold(name string) string {
	if isFolded(name) {
		return name
	}
	name, _, _ = strings.Cut(name, "\x00") // where C ends a name
	name = norm.NFKC.String(name)
	name = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return asciiLookAlike(foldRune(r))
	}, name)
	return strings.Trim(norm.NFKC.String(name), " ")
}

// isFolded reports whether a name is in its folded form, as nearly all are.
func isFolded(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// foldRune gives the same rune for all that Unicode's simple folding makes equal.
func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return unicode.ToLower(least)
}

// Fold gives names that could be taken for each other the same form.
func Fold(name string) string { return fold(name) }

// LookAlikes knows a set of names and finds others that could be taken for one
// of them. The zero LookAlikes knows none.
type LookAlikes struct {
	exact  map[string]bool
	folded map[string]string
}

// Add makes a name known.
func (l *LookAlikes) Add(name string) {
	if l.exact == nil {
		l.exact, l.folded = map[string]bool{}, map[string]string{}
	}
	l.exact[name] = true
	l.folded[fold(name)] = name
}

// Has reports whether a name is known.
func (l *LookAlikes) Has(name string) bool { return l.exact[name] }

// Of returns the known name that a name, itself not known, could be taken for.
func (l *LookAlikes) Of(name string) (known string, found bool) {
	if l.exact[name] || l.exact == nil {
		return "", false
	}
	known, found = l.folded[fold(name)]
	return known, found
}
