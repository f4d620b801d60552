package relay

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// walker steps through the result of a response of the backend and knows the
// offset of each step within the line. After an error every step is empty.
type walker struct {
	dec    *jsontext.Decoder
	base   int // offset of the result within the line
	failed bool
}

func (o *Output) walk() walker {
	return walker{
		dec: jsontext.NewDecoder(bytes.NewBuffer(o.Result()),
			jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		base: o.res.from,
	}
}

func (w *walker) offset() int { return w.base + int(w.dec.InputOffset()) }

func (w *walker) read() jsontext.Token {
	token, err := w.dec.ReadToken()
	w.failed = w.failed || err != nil
	return token
}

func (w *walker) skip() bool {
	err := w.dec.SkipValue()
	w.failed = w.failed || err != nil
	return err == nil
}

// object calls member for each member; member must read its value.
func (w *walker) object(member func(name string)) {
	w.read() // {
	for !w.failed && w.dec.PeekKind() == '"' {
		member(w.read().String())
	}
	w.read() // }
}
