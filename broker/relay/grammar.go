package relay

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// flaw is why a text is no JSON.
type flaw int

const (
	sound flaw = iota
	endsEarly
	strayByte
	nameNoString
	nestedTooDeep
)

// String names a flaw without the text, which is not ours to quote.
func (f flaw) String() string {
	switch f {
	case endsEarly:
		return "it ends too early"
	case nameNoString:
		return "a member name is not a string"
	case nestedTooDeep:
		return "it is nested too deeply"
	}
	return "an unexpected character"
}

// grammar reads JSON (RFC 8259) token by token from a window, so that a line of
// any length is read in one pass and in little memory. After its first flaw
// every step is empty. Why it is not jsontext: docs/decisions/0003.
type grammar struct {
	window
	flaw     flaw
	depth    int
	maxDepth int
	// strict refuses what is not UTF-8 and surrogates without their other half
	// (RFC 7493, section 2.1).
	strict bool
	// blanks writes a blank over each raw control byte between tokens: some readers
	// end a line at a CR (Python's universal newlines, node's readline, Java's
	// readLine, .NET's ReadLine), and would see two messages where we saw one.
	blanks bool
}

func (g *grammar) start(line []byte) {
	g.reset(line)
	g.flaw, g.depth = sound, 0
}

// fail notes the first flaw, which is an end of the line where no byte is left.
func (g *grammar) fail(why flaw) {
	if g.flaw != sound {
		return
	}
	if why == strayByte && g.at >= len(g.buf) {
		why = endsEarly
	}
	g.flaw = why
}

// next is the first byte of the next token, and 0 at the end of the line and
// after a flaw.
func (g *grammar) next() byte {
	if g.at < len(g.buf) && g.buf[g.at] > ' ' && g.flaw == sound {
		return g.buf[g.at]
	}
	for g.flaw == sound {
		for ; g.at < len(g.buf); g.at++ {
			switch c := g.buf[g.at]; c {
			case ' ':
			case '\t', '\r', '\n':
				if g.blanks {
					g.buf[g.at] = ' '
				}
			default:
				return c
			}
		}
		if !g.refill() {
			break
		}
	}
	return 0
}

// take consumes the byte that must come next.
func (g *grammar) take(c byte) bool {
	if g.at < len(g.buf) && g.buf[g.at] == c && g.flaw == sound || g.next() == c {
		g.at++
		return true
	}
	g.fail(strayByte)
	return false
}

// open goes into an object or an array.
func (g *grammar) open(bracket byte) {
	if !g.take(bracket) {
		return
	}
	if g.depth++; g.depth > g.maxDepth {
		g.fail(nestedTooDeep)
	}
}

// each reports whether another member or element comes, and consumes the comma
// before it or the bracket that closes.
func (g *grammar) each(first bool, closing byte) bool {
	switch c := g.next(); {
	case g.flaw != sound:
		return false
	case c == closing:
		g.at++
		g.depth--
		return false
	case first:
		return true
	}
	return g.take(',')
}

// name reads the name of a member, whose colon comes next. The quoted text is
// good until then; from is where it begins.
func (g *grammar) name() (quoted []byte, from int) {
	if c := g.next(); c != '"' {
		g.failAtName(c)
		return nil, 0
	}
	from = g.offset()
	g.begin()
	g.quoted()
	return g.token(), from
}

func (g *grammar) failAtName(c byte) {
	if c == 0 {
		g.fail(strayByte)
		return
	}
	g.fail(nameNoString)
}

// skip reads one value of any kind and only looks whether it is sound.
func (g *grammar) skip() {
	switch c := g.next(); c {
	case '"':
		g.quoted()
	case '{':
		g.open('{')
		for first := true; g.each(first, '}'); first = false {
			if c := g.next(); c != '"' {
				g.failAtName(c)
				return
			}
			g.quoted()
			g.take(':')
			g.skip()
		}
	case '[':
		g.open('[')
		for first := true; g.each(first, ']'); first = false {
			g.skip()
		}
	case 't':
		g.literal("true")
	case 'f':
		g.literal("false")
	case 'n':
		g.literal("null")
	default:
		g.number()
	}
}

// value reads one value and returns where it stands.
func (g *grammar) value() span {
	g.next()
	from := g.offset()
	g.skip()
	return span{from, g.offset()}
}

func (g *grammar) literal(word string) {
	for i := range len(word) {
		if g.at == len(g.buf) && !g.refill() || g.buf[g.at] != word[i] {
			g.fail(strayByte)
			return
		}
		g.at++
	}
}

func (g *grammar) number() {
	if n := plainNumber(g.buf[g.at:]); n > 0 && g.flaw == sound {
		g.at += n
		return
	}
	g.accept('-')
	if !g.accept('0') {
		g.digits()
	}
	if g.accept('.') {
		g.digits()
	}
	if g.accept('e') || g.accept('E') {
		_ = g.accept('+') || g.accept('-')
		g.digits()
	}
}

// plainNumber is the length of an integer or a decimal fraction that ends within
// the text, and 0 for all that must be looked at more closely.
func plainNumber(text []byte) int {
	n := 0
	if len(text) > 0 && text[0] == '-' {
		n = 1
	}
	from := n
	for n < len(text) && text[n]-'0' <= 9 {
		n++
	}
	if n == from || text[from] == '0' && n > from+1 {
		return 0
	}
	if n < len(text) && text[n] == '.' {
		from = n + 1
		for n++; n < len(text) && text[n]-'0' <= 9; n++ {
		}
		if n == from {
			return 0
		}
	}
	if n == len(text) || text[n]|0x20 == 'e' {
		return 0
	}
	return n
}

// accept consumes the next byte if it is c.
func (g *grammar) accept(c byte) bool {
	if g.flaw != sound || !g.ensure(1) || g.buf[g.at] != c {
		return false
	}
	g.at++
	return true
}

// digits reads one digit or more.
func (g *grammar) digits() {
	for n := 0; g.flaw == sound; n++ {
		if g.at == len(g.buf) && !g.refill() || g.buf[g.at]-'0' > 9 {
			if n == 0 {
				g.fail(strayByte)
			}
			return
		}
		g.at++
	}
}

// quoted reads a string, quotes and all. Its first quote comes next.
func (g *grammar) quoted() {
	g.at++
	for g.flaw == sound {
		g.at += plainBytes(g.buf[g.at:])
		if g.at == len(g.buf) {
			if !g.refill() {
				g.fail(endsEarly)
			}
			continue
		}
		switch c := g.buf[g.at]; {
		case c == '"':
			g.at++
			return
		case c == '\\':
			g.escape()
		case c < ' ':
			g.fail(strayByte)
		default:
			g.rune()
		}
	}
}

// plainBytes counts the bytes at the beginning that are printable ASCII and
// neither quote nor backslash: most of what passes, so many at a time.
func plainBytes(text []byte) int {
	const highs = 0x8080808080808080
	n := 0
	for ; n+32 <= len(text); n += 32 {
		four := text[n : n+32 : n+32]
		if (special(four[0:])|special(four[8:])|special(four[16:])|special(four[24:]))&highs != 0 {
			break
		}
	}
	for ; n+8 <= len(text); n += 8 {
		if at := special(text[n:]) & highs; at != 0 {
			return n + bits.TrailingZeros64(at)/8
		}
	}
	for n < len(text) && text[n] >= ' ' && text[n] < utf8.RuneSelf && text[n] != '"' && text[n] != '\\' {
		n++
	}
	return n
}

// special sets the high bit of the first of eight bytes that is not plain. Of the
// others' high bits only the later ones mean nothing.
func special(text []byte) uint64 {
	const ones = 0x0101010101010101
	word := binary.LittleEndian.Uint64(text)
	// With the second bit turned, the quote stands where the space was: right behind
	// the control characters.
	controlOrQuote := (word ^ ones*2) - ones*('"'^2+1)
	backslash := (word ^ ones*'\\') - ones
	return word | controlOrQuote | backslash
}

// rune reads a rune that is not ASCII, and those like it that follow.
func (g *grammar) rune() {
	text := g.buf[g.at:]
	n := 0
	for n < len(text) && text[n] >= utf8.RuneSelf {
		r, size := utf8.DecodeRune(text[n:])
		if r == utf8.RuneError && size == 1 {
			break // invalid, or cut
		}
		n += size
	}
	if g.at += n; n > 0 {
		return
	}
	if !utf8.FullRune(g.buf[g.at:]) {
		g.ensure(utf8.UTFMax)
	}
	r, size := utf8.DecodeRune(g.buf[g.at:])
	if r == utf8.RuneError && size == 1 && g.strict {
		g.fail(strayByte)
		return
	}
	g.at += size
}

func (g *grammar) escape() {
	if !g.ensure(2) {
		g.fail(endsEarly)
		return
	}
	switch g.buf[g.at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		g.at += 2
		return
	case 'u':
	default:
		g.fail(strayByte)
		return
	}
	r, ok := g.unicode()
	if !ok || !g.strict || !utf16.IsSurrogate(r) {
		return
	}
	if g.ensure(2) && g.buf[g.at] == '\\' && g.buf[g.at+1] == 'u' {
		if low, ok := g.unicode(); !ok || utf16.DecodeRune(r, low) != utf8.RuneError {
			return
		}
	}
	g.fail(strayByte)
}

// unicode reads \uXXXX.
func (g *grammar) unicode() (r rune, ok bool) {
	if !g.ensure(6) {
		g.fail(endsEarly)
		return 0, false
	}
	for _, c := range g.buf[g.at+2 : g.at+6] {
		digit, ok := hexDigit(c)
		if !ok {
			g.fail(strayByte)
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	g.at += 6
	return r, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
