package policy

import (
	"slices"
	"strings"
)

// uriReadings are what servers may make of a URI, all folded: with its escapes
// undone (once or often), without dot segments, cut at a NUL, without its query.
// A rule about file:///secret is one about file:///pub/..%2Fsecret, too. For a
// URI that all servers read alike, as nearly all are, there is none. A rule that
// allows must allow each of them; what one that denies looks at is in
// deniedReadings.
func uriReadings(uri string) []string {
	if isPlainURI(uri) {
		return nil
	}
	whole := unescaped(uri)
	var readings []string
	add := func(text string) {
		for _, from := range [...]int{0, 1} { // is the authority a segment that ".." takes away?
			for _, reading := range [...]string{cleanURI(text, from), strings.TrimSuffix(cleanURI(text, from), "/")} {
				if !slices.Contains(readings, reading) {
					readings = append(readings, reading)
				}
			}
		}
	}
	add(whole)
	if head, _, cut := strings.Cut(whole, "\x00"); cut {
		add(head)
	}
	if at := strings.IndexAny(whole, "?#"); at >= 0 {
		add(whole[:at])
	}
	return readings
}

// uriPatterns are a pattern in the forms that readings have: whole, and without
// the query that it names.
func uriPatterns(text string) []string {
	forms := []string{uriPattern(text)}
	if at := strings.IndexAny(text, "?#"); at >= 0 {
		forms = append(forms, uriPattern(text[:at]))
	}
	return forms
}

func uriPattern(text string) string {
	text = unescaped(text)
	if star := strings.IndexByte(text, '*'); star >= 0 && !strings.Contains(text[:star], ":") {
		text = strings.ReplaceAll(fold(text), `\`, "/")
		for strings.Contains(text, "//") {
			text = strings.ReplaceAll(text, "//", "/")
		}
		return text
	}
	return cleanURI(text, 0)
}

// isPlainURI reports whether a URI is written in the one way that has no other
// reading.
func isPlainURI(uri string) bool {
	scheme, rest, found := strings.Cut(uri, "://")
	if !found || strings.ContainsAny(scheme, "/*:") {
		return false
	}
	if scheme == "file" {
		if rest, found = strings.CutPrefix(rest, "/"); !found {
			return false
		}
	} else if host, _, path := strings.Cut(rest, "/"); !path || !isPlainHost(host) {
		return false
	}
	for i := range len(uri) {
		switch c := uri[i]; {
		case c <= ' ' || c >= 0x7f || 'A' <= c && c <= 'Z', strings.IndexByte(`%\?#{`, c) >= 0:
			return false
		}
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "" || segment[0] == '.' || segment[len(segment)-1] == '.' {
			return false
		}
	}
	return true
}

// isPlainHost reports whether an authority is a host by a name in its only form: no
// user information, no port, no number that may be an address.
func isPlainHost(host string) bool {
	for i := range len(host) {
		if c := host[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last != "" && (last[0] < '0' || last[0] > '9')
}

// maxEscapes bounds how often escapes are escaped.
const maxEscapes = 5

// unescaped undoes percent escapes until there are none.
func unescaped(text string) string {
	for range maxEscapes {
		plain := unescapeOnce(text)
		if plain == text {
			break
		}
		text = plain
	}
	return text
}

func unescapeOnce(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]) {
			plain = append(plain, fromHex(text[i+1])<<4|fromHex(text[i+2]))
			i += 2
			continue
		}
		plain = append(plain, text[i])
	}
	return string(plain)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func fromHex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// cleanURI folds a URI and takes out empty and dot segments. The first segments,
// so many, stay whatever comes.
func cleanURI(uri string, stay int) string {
	scheme, rest, found := strings.Cut(uri, ":")
	if !found || strings.ContainsAny(scheme, `/\`) { // a colon further behind belongs to the path
		scheme, rest, found = "", uri, false
	}
	scheme = fold(scheme)
	rest = strings.ReplaceAll(rest, `\`, "/")
	var kept []string
	last := ""
	for segment := range strings.SplitSeq(rest, "/") {
		// A NUL is no end here: whether it is one is a reading of its own.
		last = fold(strings.ReplaceAll(segment, "\x00", ""))
		switch name := strings.TrimRight(last, ". "); { // Windows drops dots at the end
		case last == ".." && len(kept) > stay:
			kept = kept[:len(kept)-1]
		case name == "" || name == "localhost" && scheme == "file" && len(kept) == 0:
		default:
			kept = append(kept, name)
		}
	}
	clean := strings.Join(kept, "/")
	if len(kept) > 0 && strings.Trim(last, ". ") == "" {
		clean += "/"
	}
	switch {
	case found:
		return scheme + ":/" + clean
	case strings.HasPrefix(rest, "/"):
		return "/" + clean
	}
	return clean
}
