package audit

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxLine bounds a line with its newline, in bytes. The fields' bounds and names
// add up to less than 3,800; the rest is for the hash chain to come.
const maxLine = 4096

const maxArguments = 1400 // bytes of JSON text

// appendRecord appends the record as one line of printable ASCII. It is written by
// hand because it runs before every call; the tags of Record say the same for
// readers, and the fuzz test holds both together. A record without an id gets the
// fresh one.
func appendRecord(dst []byte, r *Record, fresh []byte) []byte {
	cut := r.Cut
	field := func(name, s string, bound int) {
		if s == "" {
			return
		}
		dst = append(append(append(dst, `,"`...), name...), `":`...)
		var lost int
		dst, lost = appendQuoted(dst, s, bound)
		cut += lost
	}
	number := func(name string, n int) {
		dst = append(append(append(dst, `,"`...), name...), `":`...)
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	dst = append(dst, `{"time":"`...)
	dst = r.Time.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, '"')
	if r.ID == "" {
		dst = append(append(append(dst, `,"id":"`...), fresh...), '"')
	}
	field("id", r.ID, 32)
	field("event", r.Event, 32)
	field("profile", r.Profile, 64)
	field("sub", r.Sub, 256)
	field("email", r.Email, 256)
	field("client", r.Client, 128)
	field("client_version", r.ClientVersion, 64)
	field("server", r.Server, 256)
	number("pid", r.PID)
	field("method", r.Method, 128)
	field("name", r.Name, 512)
	field("decision", r.Decision, 16)
	field("reason", r.Reason, 256)
	argumentsCut, lost := 0, 0
	dst, argumentsCut, lost = appendArguments(dst, r.Arguments)
	cut += lost
	if argumentsCut += r.ArgumentsCut; argumentsCut != 0 {
		number("arguments_cut", argumentsCut)
	}
	if r.Spoofed {
		dst = append(dst, `,"spoofed":true`...)
	}
	if cut != 0 {
		number("cut", cut)
	}
	return append(dst, "}\n"...)
}

// appendArguments appends as many arguments as fit. It returns how many did not,
// and how many bytes were cut from the names of those that did.
func appendArguments(dst []byte, arguments []Argument) (_ []byte, left, cut int) {
	if len(arguments) == 0 {
		return dst, 0, 0
	}
	end := len(dst) + maxArguments
	dst = append(dst, `,"arguments":[`...)
	for i, a := range arguments {
		start := len(dst)
		if i > 0 {
			dst = append(dst, ',')
		}
		var lost int
		dst = append(dst, `{"name":`...)
		dst, lost = appendQuoted(dst, a.Name, 64)
		dst = append(dst, `,"bytes":`...)
		dst = strconv.AppendInt(dst, int64(a.Bytes), 10)
		dst = append(dst, '}')
		if len(dst) >= end {
			return append(dst[:start], ']'), len(arguments) - i, cut
		}
		cut += lost
	}
	return append(dst, ']'), 0, cut
}

// appendQuoted appends s as a JSON string of printable ASCII, at most bound bytes
// between the quotes, and returns how many bytes of s did not fit. Everything else
// is escaped: a raw newline would forge a record, and raw control bytes, bidirectional
// overrides and the like would reach the terminal of whoever reads the file.
func appendQuoted(dst []byte, s string, bound int) (_ []byte, cut int) {
	dst = append(dst, '"')
	end := len(dst) + bound
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
			return append(dst[:start], '"'), len(s) - i
		}
		i += size
	}
	return append(dst, '"'), 0
}

func appendEscape(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
