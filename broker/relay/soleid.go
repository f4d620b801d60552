package relay

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// SoleID finds the id of a line that is too broken to be read, so that its
// sender gets an answer: the value of the only top-level member "id", if that
// is a string or an integer.
func SoleID(line []byte) []byte {
	var w window
	w.reset(line)
	return soleID(&w)
}

func soleID(w *window) []byte {
	var found []byte
	for depth := 0; w.ensure(1); {
		switch w.buf[w.at] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			named := depth == 1 && w.ensure(4) && string(w.buf[w.at:w.at+4]) == `"id"`
			passString(w)
			if named && afterColon(w) {
				id := doubtfulID(w)
				if id == nil || found != nil {
					return nil
				}
				found = id
			}
			continue
		}
		w.at++
	}
	return found
}

// passString goes behind the string that begins here, or to the end of the line
// when the string has none.
func passString(w *window) {
	w.at++
	for w.ensure(1) {
		w.at += plainBytes(w.buf[w.at:])
		if !w.ensure(1) {
			return
		}
		switch w.buf[w.at] {
		case '\\':
			w.ensure(2)
			w.at = min(w.at+2, len(w.buf))
		case '"':
			w.at++
			return
		default:
			w.at++
		}
	}
}

// afterColon goes to the value behind the name that was read.
func afterColon(w *window) bool {
	passBlanks(w)
	if !w.ensure(1) || w.buf[w.at] != ':' {
		return false
	}
	w.at++
	passBlanks(w)
	return true
}

func passBlanks(w *window) {
	for w.ensure(1) && bytes.IndexByte([]byte(" \t\r"), w.buf[w.at]) >= 0 {
		w.at++
	}
}

// longestID is how long an id may be, in bytes, that is looked for in a line
// that is too broken to be read.
const longestID = 1 << 10

// doubtfulID reads a value that may be broken. It is nil when it is no id.
func doubtfulID(w *window) []byte {
	w.ensure(longestID)
	var value window
	value.reset(w.buf[w.at:min(len(w.buf), w.at+longestID)])
	if value.ensure(1) && value.buf[0] == '"' {
		passString(&value)
	} else {
		for value.ensure(1) && bytes.IndexByte([]byte(",} \t\r"), value.buf[value.at]) < 0 {
			value.at++
		}
	}
	w.at += value.at
	id := bytes.Clone(value.buf[:value.at])
	if !validID(id) || !jsontext.Value(id).IsValid() {
		return nil
	}
	return id
}

// ends keeps the two ends of a line that is too long to be held: its id stands
// near one of them.
type ends struct{ head, tail []byte }

// remnant is how much is kept of each end.
const remnant = 4 << 10

func (e *ends) add(text []byte) {
	if room := remnant - len(e.head); room > 0 {
		cut := min(room, len(text))
		e.head = append(e.head, text[:cut]...)
		text = text[cut:]
	}
	e.tail = append(e.tail, text[max(0, len(text)-remnant):]...)
	if over := len(e.tail) - remnant; over > 0 {
		e.tail = append(e.tail[:0], e.tail[over:]...)
	}
}

// id is a member of the beginning, or the last one but jsonrpc.
func (e *ends) id() []byte {
	if id := SoleID(e.head); id != nil {
		return id
	}
	at := bytes.LastIndex(e.tail, []byte(`"id":`))
	if at < 0 {
		return nil
	}
	rest := bytes.TrimRight(e.tail[at+len(`"id":`):], " \t\r")
	rest = bytes.TrimSuffix(rest, []byte{'}'})
	rest = bytes.TrimSuffix(rest, []byte(`,"jsonrpc":"2.0"`))
	if !validID(rest) || !jsontext.Value(rest).IsValid() {
		return nil
	}
	return rest
}
