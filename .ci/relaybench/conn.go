package main

import (
	"bytes"
	"io"
	"os"
)

// conn is the client's side of a stdio connection: lines in, bytes out.
type conn struct {
	w, r       *os.File
	buf        []byte
	start, end int // what is read and not returned
	searched   int
}

func newConn(w, r *os.File) *conn { return &conn{w: w, r: r, buf: make([]byte, 256<<10)} }

func (c *conn) write(text []byte) error {
	_, err := c.w.Write(text)
	return err
}

func (c *conn) close() {
	_ = c.w.Close()
	_ = c.r.Close()
}

// ask sends lines and returns the next line that comes back.
func (c *conn) ask(lines []byte) ([]byte, error) {
	if err := c.write(lines); err != nil {
		return nil, err
	}
	return c.line()
}

// ready is the next line if it is already here, else nil. It has no line end
// and is valid until the next call.
func (c *conn) ready() []byte {
	at := bytes.IndexByte(c.buf[c.searched:c.end], '\n')
	if at < 0 {
		c.searched = c.end
		return nil
	}
	line := c.buf[c.start : c.searched+at]
	c.start = c.searched + at + 1
	c.searched = c.start
	return line
}

// line waits for the next line.
func (c *conn) line() ([]byte, error) {
	for {
		if line := c.ready(); line != nil {
			return line, nil
		}
		c.makeRoom()
		n, err := c.r.Read(c.buf[c.end:])
		c.end += n
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
	}
}

func (c *conn) makeRoom() {
	switch {
	case c.start == c.end:
		c.start, c.end, c.searched = 0, 0, 0
	case c.end == len(c.buf) && c.start > 0:
		c.end = copy(c.buf, c.buf[c.start:c.end])
		c.searched -= c.start
		c.start = 0
	case c.end == len(c.buf):
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
}
