package relay

import (
	"errors"
	"strconv"
	"strings"
)

// A server may write an id anew in its answer: a big number as the float that its
// language holds it in, 1 as 1.0, "1" as 1. Such an answer must be known as the one
// that it is: it may be a list, of which the client is to see a part.

// exactDigits is how long a number is, at most, that every language holds exactly.
const exactDigits = 15

// likeness is the same for all ids that a server could take for each other.
func likeness(id []byte) (like string, number bool) {
	text := string(id)
	if text[0] == '"' {
		text = strings.TrimSpace(decodeString(id))
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return text, false
	}
	return strconv.FormatFloat(value+0, 'f', -1, 64), true
}

// unlike is the likeness of an id, or empty for one that only another spelling could be
// taken for: a small number, a text that is no number.
func unlike(id []byte) string {
	if len(id) == 0 || id[0] != '"' && len(id) <= exactDigits {
		return ""
	}
	like, number := likeness(id)
	if !number && like == decodeString(id) {
		return ""
	}
	return like
}

func (c *inFlightCall) likeness() string {
	if c.like != "" {
		return c.like
	}
	return strings.TrimPrefix(c.key, `"`)
}

// answeredBy returns the call that an answer with this id is for, or nil, and whether it
// is that call's very id. mu must be held.
func (p *pending) answeredBy(id []byte) (call *inFlightCall, exact bool) {
	call = p.find(id)
	if call != nil || len(id) == 0 || len(p.calls) == 0 {
		return call, true
	}
	like, _ := likeness(id)
	for _, other := range p.calls {
		// One that is owed an answer is the likelier one.
		if other.likeness() == like && (call == nil || call.cancelled) {
			call = other
		}
	}
	return call, false
}

// confusable reports whether the answer to a call could come with the id of another,
// where one of them is judged. mu must be held.
func (p *pending) confusable(call *inFlightCall) bool {
	if call.like == "" && p.spelled == 0 || !call.whole && p.whole == 0 {
		return false
	}
	like := call.likeness()
	for _, other := range p.calls {
		if (call.whole || other.whole) && other.likeness() == like {
			return true
		}
	}
	return false
}
