package relay

import (
	"bytes"
	"io"
)

const (
	// bufferSize holds small messages by the hundred and is what a pipe gives
	// at once; measured best between 64 and 256 KiB (reference/speed.md 4.7).
	// A longer line is read piece by piece.
	bufferSize = 128 << 10
	// DefaultMaxLine is how long a message may be that must be held as a whole,
	// in bytes.
	DefaultMaxLine = 64 << 20
)

// lineReader cuts a stream into lines. What it returns is valid until the next
// fill.
type lineReader struct {
	r          io.Reader
	size       int // of buf, but for a token that is longer
	buf        []byte
	start, end int // what is not handed out yet
	searched   int // up to where there is no line end
}

func newLineReader(r io.Reader, size int) *lineReader {
	return &lineReader{r: r, size: size, buf: make([]byte, size)}
}

// next returns the next line that is already read whole, without its '\n'.
func (l *lineReader) next() ([]byte, bool) {
	at := bytes.IndexByte(l.buf[l.searched:l.end], '\n')
	if at < 0 {
		l.searched = l.end
		return nil, false
	}
	text := l.buf[l.start : l.searched+at]
	l.start = l.searched + at + 1
	l.searched = l.start
	return text, true
}

// rest is what was read of a line whose end was not.
func (l *lineReader) rest() []byte { return l.buf[l.start:l.end] }

// last returns what stands behind the last line end, at the end of the stream.
func (l *lineReader) last() []byte {
	text := l.buf[l.start:l.end]
	l.start = l.end
	return text
}

// fill reads more. It must be called only when next has nothing.
func (l *lineReader) fill() error {
	l.makeRoom()
	return l.read()
}

func (l *lineReader) read() error {
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
	if l.start == l.end {
		if len(l.buf) > l.size {
			l.buf = make([]byte, l.size) // give the memory back
		}
		l.start, l.end, l.searched = 0, 0, 0
	}
	if l.end == len(l.buf) && l.start > 0 {
		l.end = copy(l.buf, l.buf[l.start:l.end])
		l.searched -= l.start
		l.start = 0
	}
}

// full reports whether the line that has begun is longer than the buffer. It
// must be called only when next has nothing.
func (l *lineReader) full() bool {
	l.makeRoom()
	return l.end == len(l.buf)
}

// longLine is a line that the buffer cannot hold. All of it must be read before
// the next line: rest does that, whatever more left.
type longLine struct {
	lines *lineReader
	// emit takes the bytes that were looked at, in order. It reports false when
	// nothing behind them need be looked at.
	emit func([]byte) (more bool)
	max  int  // how long a token may be
	over bool // the buffer holds the end of the line
	cut  bool // and that is the end of the stream
	end  int  // its index in the buffer
}

func (l *lineReader) long(maxToken int) *longLine { return &longLine{lines: l, max: maxToken} }

// text is what is in the buffer of the line.
func (l *longLine) text() []byte {
	if l.over {
		return l.lines.buf[l.lines.start:l.end]
	}
	return l.lines.buf[l.lines.start:l.lines.end]
}

// more is for a window.
func (l *longLine) more(n int) ([]byte, bool) {
	wanted := l.pass(n)
	read := wanted && !l.over && l.read()
	return l.text(), read
}

// pass emits n bytes.
func (l *longLine) pass(n int) (more bool) {
	piece := l.text()[:n]
	l.lines.start += n
	return l.emit(piece)
}

func (l *longLine) read() bool {
	lines := l.lines
	lines.makeRoom()
	if lines.end == len(lines.buf) { // a token is longer than the buffer
		if len(lines.buf) >= l.max {
			return false
		}
		lines.buf = append(lines.buf, make([]byte, len(lines.buf))...)
	}
	from := lines.end
	if lines.read() != nil {
		l.over, l.cut, l.end = true, true, from
		return false
	}
	if at := bytes.IndexByte(lines.buf[from:lines.end], '\n'); at >= 0 {
		l.over, l.end = true, from+at
	}
	return !l.over || l.end > from
}

// rest emits the line up to its end and leaves the reader after it.
func (l *longLine) rest() {
	for !l.over {
		l.pass(len(l.text()))
		l.read()
	}
	l.pass(len(l.text()))
	if !l.cut {
		l.lines.start++
	}
	l.lines.searched = l.lines.start
}
