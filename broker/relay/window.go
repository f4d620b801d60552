package relay

// window is the part of one line that is in memory. A short line is there as a
// whole; of a long one more comes with refill, and what was looked at goes.
type window struct {
	buf  []byte
	base int // offset of buf[0] within the line
	at   int // index in buf of the next byte to look at
	// keep is the index in buf from which bytes must stay although they were
	// looked at: the beginning of a token that is wanted whole. -1 is none.
	keep int
	// more drops the first n bytes of buf, appends some that follow in the line
	// and returns the new buf. It reports false when none follow. nil: buf is all.
	more func(n int) ([]byte, bool)
}

func (w *window) reset(line []byte) { *w = window{buf: line, keep: -1} }

func (w *window) offset() int { return w.base + w.at }

// refill gets more of the line. It reports false when there is no more.
func (w *window) refill() bool {
	if w.more == nil {
		return false
	}
	drop := w.at
	if w.keep >= 0 {
		drop = w.keep
	}
	buf, ok := w.more(drop)
	w.buf = buf
	w.base += drop
	w.at -= drop
	if w.keep >= 0 {
		w.keep = 0
	}
	return ok
}

// ensure reports whether n bytes are there to look at, which only the end of
// the line prevents.
func (w *window) ensure(n int) bool {
	for len(w.buf)-w.at < n {
		if !w.refill() {
			return false
		}
	}
	return true
}

// begin marks what comes next as a token that is wanted whole; token ends it.
func (w *window) begin() { w.keep = w.at }

// token is what was looked at since begin. It is good until the next refill.
func (w *window) token() []byte {
	text := w.buf[w.keep:w.at]
	w.keep = -1
	return text
}
