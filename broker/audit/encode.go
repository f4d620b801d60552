package audit

import (
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// maxLine bounds a line with its newline, in bytes.
const maxLine = 16 << 10

const maxArguments = 8000 // bytes of JSON text

// pen writes records as lines of printable ASCII. It is written by hand because it
// runs before every call; the tags of Record say the same for readers, and the fuzz
// test holds both together. It remembers what is the same from record to record. The
// zero pen is ready.
type pen struct {
	second int64
	moment []byte // text of that second

	who     who
	whoText []byte // of that
	whoCut  int
}

// who is the part of a record that says who calls what by whose hands.
type who struct {
	profile, sub, email, client, version, server string
	pid                                          int
}

// line appends a record as a line, and seals it.
func (p *pen) line(dst []byte, r *Record, at *link) []byte {
	start := len(dst)
	return at.seal(p.write(at.begin(dst), r), start)
}

// write appends the part of a line that does not depend on the one before it.
func (p *pen) write(dst []byte, r *Record) []byte {
	e := encoder{dst: p.time(append(dst, `,"time":"`...), r.Time), cut: r.Cut}
	e.text(`,"id":"`, r.ID, 32)
	e.text(`,"event":"`, r.Event, 32)
	e.text(`,"call":"`, r.Call, 32)
	p.by(&e, who{r.Profile, r.Sub, r.Email, r.Client, r.ClientVersion, r.Server, r.PID})
	e.text(`,"method":"`, r.Method, 128)
	e.text(`,"name":"`, r.Name, 512)
	e.text(`,"decision":"`, r.Decision, 16)
	e.text(`,"reason":"`, r.Reason, 256)
	e.arguments(r)
	if r.Spoofed {
		e.dst = append(e.dst, `,"spoofed":true`...)
	}
	e.text(`,"status":"`, r.Status, 16)
	e.number(`,"code":`, int64(r.Code))
	e.number(`,"bytes":`, int64(r.Bytes))
	e.number(`,"micros":`, r.Micros)
	e.text(`,"file":"`, r.File, 64)
	e.text(`,"version":"`, r.Version, 64)
	e.text(`,"policy":"`, r.Policy, 128)
	e.number(`,"torn":`, int64(r.Torn))
	e.text(`,"damaged":"`, r.Damaged, 64)
	e.number(`,"cut":`, int64(e.cut))
	return e.dst
}

// time appends a time in UTC with milliseconds, and the quote behind it.
func (p *pen) time(dst []byte, t time.Time) []byte {
	if second := t.Unix(); second != p.second || p.moment == nil {
		p.second, p.moment = second, t.UTC().AppendFormat(p.moment[:0], "2006-01-02T15:04:05.")
	}
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(append(dst, p.moment...), '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10), 'Z', '"')
}

// by appends who it was.
func (p *pen) by(e *encoder, w who) {
	if w != p.who || p.whoText == nil {
		of := encoder{dst: p.whoText[:0]}
		of.text(`,"profile":"`, w.profile, 64)
		of.text(`,"sub":"`, w.sub, 256)
		of.text(`,"email":"`, w.email, 256)
		of.text(`,"client":"`, w.client, 128)
		of.text(`,"client_version":"`, w.version, 64)
		of.text(`,"server":"`, w.server, 256)
		of.dst = strconv.AppendInt(append(of.dst, `,"pid":`...), int64(w.pid), 10)
		p.who, p.whoText, p.whoCut = w, of.dst, of.cut
	}
	e.dst = append(e.dst, p.whoText...)
	e.cut += p.whoCut
}

// encoder appends the members of a line.
type encoder struct {
	dst []byte
	cut int // bytes that did not fit so far
}

// text appends a member unless it is empty, at most bound bytes of it. begin is all
// that stands before the text.
func (e *encoder) text(begin, s string, bound int) {
	if s == "" {
		return
	}
	e.dst = append(e.dst, begin...)
	e.quoted(s, bound)
}

// number appends a member unless it is 0. begin is all that stands before the number.
func (e *encoder) number(begin string, n int64) {
	if n == 0 {
		return
	}
	e.dst = strconv.AppendInt(append(e.dst, begin...), n, 10)
}

// arguments appends as many arguments as fit, and the number of the others.
func (e *encoder) arguments(r *Record) {
	left := r.ArgumentsCut
	if len(r.Arguments) > 0 {
		e.dst = append(e.dst, `,"arguments":[`...)
		end := len(e.dst) + maxArguments
		for i, a := range r.Arguments {
			start, cut := len(e.dst), e.cut
			if i > 0 {
				e.dst = append(e.dst, ',')
			}
			e.argument(a)
			if len(e.dst) >= end {
				e.dst, e.cut = e.dst[:start], cut
				left += len(r.Arguments) - i
				break
			}
		}
		e.dst = append(e.dst, ']')
	}
	e.number(`,"arguments_cut":`, int64(left))
}

func (e *encoder) argument(a Argument) {
	e.dst = append(e.dst, `{"name":"`...)
	e.quoted(a.Name, 64)
	e.dst = append(e.dst, `,"bytes":`...)
	e.dst = strconv.AppendInt(e.dst, int64(a.Bytes), 10)
	e.text(`,"hash":"`, a.Hash, 16)
	e.text(`,"value":"`, a.Value, 512)
	e.dst = append(e.dst, '}')
}

// quoted appends s as the rest of a JSON string of printable ASCII, at most bound
// bytes and the quote, and counts the bytes of s that did not fit. Everything else is
// escaped: a raw newline would forge a record, and raw control bytes, bidirectional
// overrides and the like would reach the terminal of whoever reads the file.
func (e *encoder) quoted(s string, bound int) {
	dst := e.dst
	end := len(dst) + bound
	if len(s) <= bound && isPlain(s) { // nearly always
		e.dst = append(append(dst, s...), '"')
		return
	}
	for i := 0; i < len(s); {
		start := len(dst)
		r, size := utf8.DecodeRuneInString(s[i:]) // an invalid byte is U+FFFD
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case ' ' <= r && r <= '~':
			dst = append(dst, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			dst = appendEscape(appendEscape(dst, high), low)
		default:
			dst = appendEscape(dst, r)
		}
		if len(dst) > end {
			dst = dst[:start]
			e.cut += len(s) - i
			break
		}
		i += size
	}
	e.dst = append(dst, '"')
}

// isPlain reports whether nothing of s needs an escape.
func isPlain(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		if !plain[s[0]] || !plain[s[1]] || !plain[s[2]] || !plain[s[3]] || !plain[s[4]] || !plain[s[5]] || !plain[s[6]] || !plain[s[7]] {
			return false
		}
	}
	for i := range len(s) {
		if !plain[s[i]] {
			return false
		}
	}
	return true
}

// plain are the bytes that need no escape.
var plain = func() (is [256]bool) {
	for b := ' '; b <= '~'; b++ {
		is[b] = b != '"' && b != '\\'
	}
	return is
}()

func appendEscape(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
