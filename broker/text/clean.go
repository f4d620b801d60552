// Package text makes strings for people: safe for a terminal, counted and spelled.
package text

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Every string from outside, of a server, a provider or an AI client, is shown through
// one cleaner. What a terminal would obey, or what would hide, reverse or overlap
// text, comes out as its code point, \u{1B}. Ordinary text of any script stays, and so
// do emoji. Cleaning a string twice changes nothing more.

// CleanLine makes a text from outside fit for one line of a terminal. A line end is
// shown as its code point, too: it could make a value look like the next row.
func CleanLine(text string) string {
	return clean(text, func(rune) bool { return false })
}

// CleanText is [CleanLine] for a text of several lines: its line ends and tabs
// stay, and the pair CR LF is a line end.
func CleanText(text string) string {
	return clean(strings.ReplaceAll(text, "\r\n", "\n"), func(r rune) bool { return r == '\n' || r == '\t' })
}

// CleanJSON escapes what CleanLine would show as its code point in a JSON text, which
// stays the same value: such characters can only stand in its texts.
func CleanJSON(text []byte) []byte {
	layout := func(r rune) bool { return r == '\n' || r == '\t' || r == '\r' }
	if isPlainText(string(text), layout) {
		return text
	}
	var out bytes.Buffer
	out.Grow(len(text) + len(text)/8)
	(&cleaner{keep: layout, escape: func(r rune) {
		if r > 0xFFFF {
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
			return
		}
		fmt.Fprintf(&out, `\u%04x`, r)
	}, write: func(s string) { out.WriteString(s) }}).run(string(text))
	return out.Bytes()
}

func clean(text string, keep func(rune) bool) string {
	if isPlainText(text, keep) {
		return text
	}
	var out strings.Builder
	(&cleaner{
		keep: keep, escape: func(r rune) { fmt.Fprintf(&out, `\u{%X}`, r) }, write: func(s string) { out.WriteString(s) },
	}).run(text)
	return out.String()
}

// isPlainText reports whether each character is one that stays wherever it stands.
func isPlainText(text string, keep func(rune) bool) bool {
	for _, r := range text {
		if plain := r >= ' ' && r < 0x7F || unicode.IsLetter(r) && !hides(r); !plain && !keep(r) {
			return false
		}
	}
	return utf8.ValidString(text)
}

// cleaner reads a text and knows what stands before each character.
type cleaner struct {
	keep   func(rune) bool
	escape func(rune)
	write  func(string)

	last  rune // that came out, 0 at the beginning of a line
	marks int  // that stand on one character
}

// maxMarks is how many combining marks may stand on one character. Vietnamese needs
// two, Hebrew with cantillation four; more overlap the lines above and below.
const maxAccess = 6

func (c *cleaner) run(text string) {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		if flag := subdivisionFlag(text[at:]); flag > 0 {
			size = flag
			c.pass(r, text[at:at+size])
		} else if r == utf8.RuneError && size == 1 {
			c.pass(r, "\uFFFD")
		} else if c.shows(r, following(text[at+size:])) {
			c.pass(r, text[at:at+size])
		} else {
			c.escape(r)
			c.last, c.marks = '}', 0
		}
		at += size
	}
}

// following is the first character of a text, 0 where it is empty.
func following(text string) rune {
	if text == "" {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(text)
	return r
}

func (c *cleaner) pass(r rune, text string) {
	c.write(text)
	switch {
	case c.keep(r):
		c.last, c.marks = 0, 0
		return
	case unicode.Is(unicode.M, r):
		c.marks++
	case r != zwj && r != zwnj:
		c.marks = 0
	}
	c.last = r
}

const (
	zwnj = '\u200C'
	zwj  = '\u200D'
)

// shows reports whether a character is shown as itself where it stands.
func (c *cleaner) shows(r, next rune) bool {
	switch {
	case c.keep(r):
		return true
	case r == zwj && pictures(next):
		return pictures(c.last) || unicode.Is(unicode.Variation_Selector, c.last) || isSkinTone(c.last)
	case r == zwj || r == zwnj: // Persian and the scripts of India are written with them
		return unicode.In(c.last, joining...) && unicode.In(next, joining...) && unicode.IsLetter(next)
	case unicode.Is(unicode.Variation_Selector, r):
		return c.marks < maxAccess && selects(c.last, r)
	case hides(r):
		return false
	case unicode.Is(unicode.M, r):
		return c.last != 0 && c.marks < maxAccess
	}
	return unicode.IsPrint(r) || unicode.Is(unicode.Zs, r)
}

// hides reports whether a character is made to be invisible: among them Hangul
// fillers, which are letters, and the combining grapheme joiner.
func hides(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point)
}

// pictures reports whether a character may be an emoji.
func pictures(r rune) bool { return unicode.In(r, unicode.So, unicode.Sm) }

func isSkinTone(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }

// joining are the scripts in which joiners change the form of letters.
var joining = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya,
	unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Mongolian,
}

// selects reports whether a variation selector says something of the character
// before it. Elsewhere, or in a row, they are a way to hide a message.
func selects(before, selector rune) bool {
	switch {
	case unicode.Is(unicode.Mongolian, selector):
		return unicode.Is(unicode.Mongolian, before) && !unicode.Is(unicode.Variation_Selector, before)
	case selector == 0xFE0E || selector == 0xFE0F: // as text or as emoji; digits, # and * become keycaps
		return pictures(before) || before >= '0' && before <= '9' || before == '#' || before == '*' || unicode.In(before, unicode.Po, unicode.Pd)
	}
	return unicode.Is(unicode.Han, before) || unicode.Is(unicode.Sm, before)
}

// The flags of England, Scotland and Wales are all emoji that have tags, which
// otherwise spell hidden words.
var subdivisionFlags = []string{
	"\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
	"\U0001F3F4\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F",
	"\U0001F3F4\U000E0067\U000E0062\U000E0077\U000E006C\U000E0073\U000E007F",
}

// subdivisionFlag is the length of the flag that a text begins with, or 0.
func subdivisionFlag(text string) int {
	for _, flag := range subdivisionFlags {
		if strings.HasPrefix(text, flag) {
			return len(flag)
		}
	}
	return 0
}
