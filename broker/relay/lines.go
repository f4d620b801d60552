package relay

import (
	"bytes"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// bufferSize holds small messages by the hundred and is what a pipe gives
	// at once; measured best between 64 and 256 KiB (reference/speed.md 4.7).
	bufferSize = 256 << 10
	// DefaultMaxLine is how long a message may be, in bytes.
	DefaultMaxLine = 64 << 20
	// remnant is how much is kept of each end of a line that is too long: the
	// id stands near one of them.
	remnant = 4 << 10
)

// lineReader cuts a stream into lines. What it returns is valid until the next
// fill.
type lineReader struct {
	r          io.Reader
	max        int
	buf        []byte
	start, end int // what is not handed out yet
	searched   int // up to where there is no line end
	skipping   bool
	head, tail []byte // of the line that is skipped
}

func newLineReader(r io.Reader, max int) *lineReader {
	return &lineReader{r: r, max: max, buf: make([]byte, bufferSize)}
}

// line is one line without its '\n'. Of a line that is too long only the two
// ends are left.
type line struct {
	text []byte
	tail []byte // not nil: text is only the beginning, this the end
}

func (l line) tooLong() bool { return l.tail != nil }

// endID finds the id of a message that is too long to be read: a member of the
// beginning, or the last one but jsonrpc.
func (l line) endID() []byte {
	if id := SoleID(l.text); id != nil {
		return id
	}
	at := bytes.LastIndex(l.tail, []byte(`"id":`))
	if at < 0 {
		return nil
	}
	rest := bytes.TrimRight(l.tail[at+len(`"id":`):], " \t\r")
	rest = bytes.TrimSuffix(rest, []byte{'}'})
	rest = bytes.TrimSuffix(rest, []byte(`,"jsonrpc":"2.0"`))
	if !validID(rest) || !jsontext.Value(rest).IsValid() {
		return nil
	}
	return rest
}

// next returns the next line that is already read whole.
func (l *lineReader) next() (line, bool) {
	at := bytes.IndexByte(l.buf[l.searched:l.end], '\n')
	if at < 0 {
		l.searched = l.end
		if l.end-l.start > l.max {
			l.skip(l.buf[l.start:l.end])
			l.start, l.end, l.searched = 0, 0, 0
		}
		return line{}, false
	}
	text := l.buf[l.start : l.searched+at]
	l.start = l.searched + at + 1
	l.searched = l.start
	return l.whole(text), true
}

// last returns what stands behind the last line end, at the end of the stream.
func (l *lineReader) last() (line, bool) {
	text := l.buf[l.start:l.end]
	l.start = l.end
	return l.whole(text), len(text) > 0 || l.skipping
}

func (l *lineReader) whole(text []byte) line {
	if !l.skipping && len(text) <= l.max {
		return line{text: text}
	}
	l.skip(text)
	ends := line{text: l.head, tail: l.tail}
	l.skipping, l.head, l.tail = false, nil, nil
	return ends
}

// skip keeps only the ends of a line that is too long.
func (l *lineReader) skip(text []byte) {
	l.skipping = true
	if room := remnant - len(l.head); room > 0 {
		cut := min(room, len(text))
		l.head = append(l.head, text[:cut]...)
		text = text[cut:]
	}
	l.tail = append(l.tail, text[max(0, len(text)-remnant):]...)
	if l.tail == nil {
		l.tail = []byte{}
	}
	if over := len(l.tail) - remnant; over > 0 {
		l.tail = append([]byte(nil), l.tail[over:]...)
	}
}

// fill reads more. It must be called only when next has nothing.
func (l *lineReader) fill() error {
	l.makeRoom()
	n, err := l.r.Read(l.buf[l.end:])
	l.end += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

func (l *lineReader) makeRoom() {
	switch {
	case l.start == l.end:
		if len(l.buf) > bufferSize {
			l.buf = make([]byte, bufferSize) // a long line is over: give its memory back
		}
		l.start, l.end, l.searched = 0, 0, 0
	case l.end == len(l.buf) && l.start > 0:
		l.end = copy(l.buf, l.buf[l.start:l.end])
		l.searched -= l.start
		l.start = 0
	case l.end == len(l.buf):
		larger := make([]byte, 2*len(l.buf))
		copy(larger, l.buf[:l.end])
		l.buf = larger
	}
}
