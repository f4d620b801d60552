package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A rule that denies an address must hold however the address is spelled, so it is
// compared with every reading that some server's parser gives it. Parsers disagree
// most about the authority: where it ends, what in it is the host, and whether a
// path needs one. Rules that allow compare more strictly: see uriReadings.

// noScheme begins the forms of addresses without a scheme. They are compared with
// what follows the scheme of a pattern.
const noScheme = ":/"

// anyRooted stands for a pattern that says nothing but the scheme, as file:///*.
// Only an address that begins with a slash is compared with it: a plain word is
// under no scheme.
const anyRooted = "/" + noScheme + "*"

// deniedReadings are uriReadings and those that differ in the authority.
func deniedReadings(uri string) []string {
	readings := uriReadings(uri)
	if readings == nil {
		return nil
	}
	var found readingSet
	if inner := unwrapped(uri); inner != uri {
		found.list = append(deniedReadings(inner), fold(inner))
	}
	for _, reading := range readings {
		found.list = append(found.list, reading)
		if scheme, rest, _ := strings.Cut(reading, ":/"); scheme != "file" && rest != "" && !strings.Contains(rest, "/") {
			found.list = append(found.list, reading+"/") // an authority alone is one with the path "/"
		}
	}
	for _, text := range authoritySpellings(uri) {
		scheme, rest, ok := cutScheme(text)
		if ok {
			found.addAll(scheme+":/", scheme, rest)
		}
		if !ok || !strings.HasPrefix(rest, "//") { // host:8080/path looks like a scheme
			found.addAll(noScheme, "", text)
		}
	}
	return found.list
}

// authoritySpellings are a URI in the forms in which a parser may look for its
// authority: before and after its escapes are undone and its characters made
// compatible, with backslashes as they are and as slashes.
func authoritySpellings(uri string) []string {
	var texts []string
	whole := unescaped(uri)
	for _, text := range [...]string{uri, whole, compatible(uri), compatible(whole)} {
		text = withoutControls(text)
		for _, form := range [...]string{text, strings.ReplaceAll(text, `\`, "/")} {
			if !slices.Contains(texts, form) {
				texts = append(texts, form)
			}
		}
	}
	return texts
}

// unwrapped is a URI without what Java and Python's urllib take off it: <URL:…>.
func unwrapped(uri string) string {
	uri = strings.Trim(uri, " <>")
	if at := len("url:"); len(uri) > at && strings.EqualFold(uri[:at], "url:") {
		return uri[at:]
	}
	return uri
}

// compatible makes full-width slashes, dots and colons plain ones.
func compatible(text string) string {
	if isASCII(text) {
		return text
	}
	return strings.ReplaceAll(norm.NFKC.String(text), "。", ".")
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// withoutControls drops what browsers' parsers drop: a tab or a line end may stand
// between the slashes. A NUL stays, as it may be an end.
func withoutControls(text string) string {
	if isFolded(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r != 0 && unicode.In(r, unicode.Cc, unicode.Cf) {
			return -1
		}
		return r
	}, text)
}

// cutScheme cuts a URI behind its scheme, which is folded.
func cutScheme(text string) (scheme, rest string, found bool) {
	scheme, rest, found = strings.Cut(text, ":")
	if !found || scheme == "" || strings.ContainsAny(scheme, `/\?#[@`) {
		return "", text, false
	}
	return fold(unescaped(scheme)), rest, true
}

type readingSet struct {
	list []string
	done []string // what was read already
}

func (s *readingSet) add(reading string) {
	for _, form := range [...]string{reading, strings.TrimSuffix(reading, "/")} {
		if !slices.Contains(s.list, form) {
			s.list = append(s.list, form)
		}
	}
}

// addAll adds the readings of what follows a scheme, each behind a prefix.
func (s *readingSet) addAll(prefix, scheme, rest string) {
	hierarchy := strings.TrimLeft(rest, "/")
	slashes := len(rest) - len(hierarchy)
	for _, ends := range [...]string{"/?#\x00", "/"} { // old parsers take ? and # for a part of the authority
		at := strings.IndexAny(hierarchy, ends)
		if at < 0 {
			at = len(hierarchy)
		}
		authority, path := hierarchy[:at], hierarchy[at:]
		if scheme == "file" || scheme == "" {
			s.addPaths(prefix, "", rest)
			if slashes == 2 || slashes > 3 {
				s.addPaths(prefix, "", path)
			}
		}
		if scheme != "file" {
			for _, host := range hostReadings(authority) {
				s.addPaths(prefix, host, path)
			}
		}
	}
}

// addPaths adds a path below a host, in the ways in which it may end.
func (s *readingSet) addPaths(prefix, host, path string) {
	path = unescaped(path)
	input := prefix + host + "\n" + path
	if slices.Contains(s.done, input) {
		return
	}
	s.done = append(s.done, input)
	ends := []string{path}
	for _, cut := range [...]string{"\x00", "?#"} {
		if at := strings.IndexAny(path, cut); at >= 0 {
			ends = append(ends, path[:at])
		}
	}
	rooted := host == "" && strings.HasPrefix(path, "/")
	for _, end := range ends {
		clean := cleanURI("x:/"+strings.TrimLeft(driveLetter(end), `/\`), 0)[len("x:/"):]
		if host != "" {
			clean = host + "/" + clean
		}
		if host == "" && prefix == noScheme && !strings.Contains(clean, "/") {
			clean += "/" // an authority alone is one with the path "/"
		}
		s.add(prefix + clean)
		if rooted && prefix == noScheme {
			s.add("/" + prefix + clean)
		}
	}
}

// driveLetter spells /C|/ as /C:/, as browsers do.
func driveLetter(path string) string {
	trimmed := strings.TrimLeft(path, `/\`)
	if len(trimmed) < 2 || trimmed[1] != '|' {
		return path
	}
	return path[:len(path)-len(trimmed)] + trimmed[:1] + ":" + trimmed[2:]
}

// hostReadings are the hosts that an authority may name: with and without user
// information and port.
func hostReadings(authority string) []string {
	var hosts []string
	add := func(host string) {
		if host = cleanHost(host); host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	for _, named := range [...]string{authority, authority[strings.LastIndexByte(authority, '@')+1:], authority[strings.IndexByte(authority, '@')+1:]} {
		add(named)
		if at := strings.IndexAny(named, `?#\`); at >= 0 {
			named = named[:at]
			add(named)
		}
		host := withoutPort(named)
		add(host)
		if before, _, cut := strings.Cut(named, ":"); cut && !strings.HasPrefix(named, "[") {
			add(before)
		}
	}
	return hosts
}

// withoutPort cuts a port, which may be empty.
func withoutPort(host string) string {
	at := strings.LastIndexByte(host, ':')
	if at < 0 || strings.Trim(host[at+1:], "0123456789") != "" || strings.HasPrefix(host, "[") && host[at-1] != ']' {
		return host
	}
	return host[:at]
}

// cleanHost is a host in the one form that all its spellings share.
func cleanHost(host string) string {
	host = strings.TrimRight(fold(compatible(unescaped(host))), ". ")
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	if ip, ok := numericHost(host); ok {
		return ip.String()
	}
	return host
}

// numericHost reads the IPv4 addresses that C and browsers read: of one to four
// numbers, each decimal, octal or hexadecimal, the last of which fills the rest
// (URL Standard, "IPv4 parser").
func numericHost(host string) (ip netip.Addr, ok bool) {
	parts := strings.Split(host, ".")
	if len(parts) > net4 {
		return ip, false
	}
	var bytes [net4]byte
	for i, part := range parts {
		number, err := strconv.ParseUint(numeral(part), 0, 32)
		last := i == len(parts)-1
		if err != nil || !last && number > 0xff || last && number>>(8*(net4-i)) != 0 {
			return ip, false
		}
		if !last {
			bytes[i] = byte(number)
			continue
		}
		for at := net4 - 1; at >= i; at-- {
			bytes[at] = byte(number)
			number >>= 8
		}
	}
	return netip.AddrFrom4(bytes), true
}

const net4 = 4 // bytes of an IPv4 address

// numeral is a number in the form that strconv reads with base 0. What only Go
// reads as one is none.
func numeral(part string) string {
	if strings.ContainsAny(part, "_bo+-") && !strings.HasPrefix(part, "0x") {
		return ""
	}
	return part
}

// deniedPatterns are the forms of a pattern of resources that deniedReadings are
// compared with, beyond the pattern itself. What is in a folder is named by the
// folder, and most servers take that with and without its last slash for one, so
// file:///etc/* is about file:///etc, too.
func deniedPatterns(text string) []string {
	forms := addressPatterns(text)
	if folder, all := strings.CutSuffix(text, "/*"); all && !strings.HasSuffix(folder, "/") && strings.Contains(folder, "/") {
		forms = append(forms, addressPatterns(folder)...)
	}
	return forms
}

func addressPatterns(text string) []string {
	forms := []string{fold(text), uriPattern(text)}
	scheme, rest, found := cutScheme(withoutControls(text))
	if !found || strings.Contains(scheme, "*") || !strings.HasPrefix(rest, "/") {
		return forms
	}
	hierarchy := strings.TrimLeft(rest, "/")
	if scheme != "file" {
		at := strings.IndexAny(hierarchy, "/?#")
		if at < 0 {
			at = len(hierarchy)
		}
		authority, path := hierarchy[:at], hierarchy[at:]
		host := authority
		if port := defaultPorts[scheme]; port != "" {
			host = strings.TrimSuffix(host, ":"+port)
		}
		hierarchy = cleanHost(host) + path
		forms = append(forms, fold(scheme+"://"+hierarchy), uriPattern(scheme+"://"+hierarchy))
	}
	if strings.Trim(hierarchy, "*/") == "" {
		return append(forms, anyRooted)
	}
	return append(forms, noScheme+strings.TrimPrefix(uriPattern("x:/"+hierarchy), "x:/"))
}

var defaultPorts = map[string]string{"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
