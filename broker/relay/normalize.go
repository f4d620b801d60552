package relay

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
)

// An answer belongs to the call with its very id. A server may spell an id otherwise
// than it was sent: a big number as the float that its language holds it in, 1 as
// 1.0 or "1". Clients look such answers up in ways of their own, so none reaches
// them; the call that one is for gets an error instead of waiting for ever.

// normalizeID is the same for all ids that a JSON-RPC library could take for each
// other, by Number() of JavaScript, int() of Python or a float of 64 bits.
func normalizeID(id []byte) string {
	text := string(id)
	if text != "" && text[0] == '"' {
		text = strings.Map(decimal, decodeString(id))
		text = strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' })
	}
	if text == "" {
		text = "0" // as JavaScript reads it
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		whole, err := strconv.ParseInt(text, 0, 64) // 0x5, 0b101, 0o5, 1_0
		if err != nil {
			return text
		}
		value = float64(whole)
	}
	// Beyond 64 bits a conversion gives the least or the greatest number.
	const most = 1 << 63
	if value >= most || value <= -most {
		return "beyond 64 bits"
	}
	return strconv.FormatFloat(value+0, 'f', -1, 64)
}

// decimal is the ASCII digit for a digit of any script.
func decimal(r rune) rune {
	if r < unicode.MaxASCII || !unicode.Is(unicode.Nd, r) {
		return r
	}
	zero := r
	for unicode.Is(unicode.Nd, zero-1) && r-zero < 9 {
		zero--
	}
	return '0' + r - zero
}

// meant removes and returns the call that an answer with an id of no call can only be
// for, or nil. An answer without an id is for the only call that is owed one.
func (p *pending) meant(id []byte) *inFlightCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	any := len(id) == 0 || id[0] != '"' && id[0] != '-' && id[0]-'0' > 9
	like := normalizeID(id)
	var meant *inFlightCall
	for _, call := range p.calls {
		if call.cancelled || call.expired || !call.left || !any && normalizeID(call.ID) != like {
			continue
		}
		if meant != nil {
			return nil
		}
		meant = call
	}
	if meant == nil {
		return nil
	}
	return p.answered(meant)
}
