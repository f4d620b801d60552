package relay

import (
	"errors"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Why a text is not decoded.
var (
	errNotJSON  = errors.New("it is not one JSON value")
	errTwice    = errors.New("a member has two values")
	errResemble = errors.New("a member has a name that could be taken for a protocol name")
	errEncoding = errors.New("it is not UTF-8, or a member of it has two values")
	errKind     = errors.New("a value is of another kind than asked for")
)

// RawValue is the text of a value, as it is.
type RawValue = jsontext.Value

// DecodeStrict decodes a JSON text into v, where something is decided by what the text
// says. v points to a struct whose fields have the tag json:"name", to a map with strings
// as keys, to a slice, or to anything that a JSON value fits in; [RawValue] takes a value
// as it is, which can be decoded in turn. null leaves the zero value.
//
// It fails where two parsers could read what is asked for differently: in an object that
// becomes a struct, a name of its fields may stand there once, in its exact spelling, and
// no other member may resemble it (another letter case, ſ, K or full-width letters,
// escapes, NUL, invisible characters); a key of a map may stand there once. Names and
// strings that are asked for must be UTF-8, and nothing may follow the value. What is not
// asked for is only validated. After an error v holds nothing to rely on.
func DecodeStrict(text []byte, v any) error {
	if err := CheckStrict(text, v); err != nil && err != errKind { // which UnmarshalJSON may take
		return err
	}
	return json.Unmarshal(text, v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// CheckStrict fails where [DecodeStrict] would, and decodes nothing: v, which stays as it
// is, is only the form. That is of structs, maps, slices, strings and [RawValue]; of
// others the kind is not checked. Behind a pointer a value may be of another kind.
func CheckStrict(text []byte, v any) error {
	d := strictReader{grammar: grammar{maxDepth: maxOutputDepth}}
	d.start(text)
	d.value(reflect.TypeOf(v).Elem())
	switch {
	case d.err != nil:
		return d.err
	case d.flaw != sound || d.next() != 0 || d.at < len(d.buf):
		return errNotJSON
	case d.otherKind:
		return errKind
	}
	return nil
}

// HasTwoReadings reports whether an error of [DecodeStrict] says that parsers could differ.
func HasTwoReadings(err error) bool {
	return errors.Is(err, errTwice) || errors.Is(err, errResemble) || errors.Is(err, errEncoding)
}

// strictReader walks a text along the type that it will be decoded into.
type strictReader struct {
	grammar
	err       error // the first; every step after it is empty
	otherKind bool  // a value is not of the kind of its type
}

func (d *strictReader) value(as reflect.Type) {
	optional := as.Kind() == reflect.Pointer
	if optional {
		as = as.Elem()
	}
	switch first, kind := d.next(), as.Kind(); {
	case as == reflect.TypeFor[RawValue]():
		d.skip()
	case first == '{' && kind == reflect.Struct:
		d.structure(as)
	case first == '{' && kind == reflect.Map:
		d.dictionary(as.Elem())
	case first == '[' && kind == reflect.Slice:
		d.list(as.Elem())
	default:
		wanted := firstBytes[kind]
		d.otherKind = d.otherKind || !optional && wanted != 0 && first != wanted && first != 'n'
		from := d.at
		if d.skip(); d.flaw == sound && !jsontext.Value(d.buf[from:d.at]).IsValid() {
			d.refuse(errEncoding)
		}
	}
}

// firstBytes are those of the values that become what is checked.
var firstBytes = map[reflect.Kind]byte{reflect.Struct: '{', reflect.Map: '{', reflect.Slice: '[', reflect.String: '"'}

func (d *strictReader) list(of reflect.Type) {
	d.open('[')
	for first := true; d.each(first, ']'); first = false {
		d.value(of)
	}
}

func (d *strictReader) refuse(why error) {
	if d.err == nil {
		d.err = why
	}
	d.fail(strayByte)
}

func (d *strictReader) structure(as reflect.Type) {
	names := fieldNames(as)
	seen := make([]bool, as.NumField()+1)
	d.open('{')
	for first := true; d.each(first, '}'); first = false {
		quoted, _ := d.name()
		if d.flaw != sound {
			return
		}
		which, ok := lookupIn(names, quoted)
		switch {
		case !ok:
			d.refuse(errResemble)
			return
		case which != other && seen[which]:
			d.refuse(errTwice)
			return
		}
		seen[which] = true
		if d.take(':'); which == other {
			d.skip()
		} else {
			d.value(as.Field(int(which) - 1).Type)
		}
	}
}

// fieldNames are the names of the members that become fields, numbered from 1.
func fieldNames(of reflect.Type) []protocolName {
	var names []protocolName
	for i := range of.NumField() {
		if name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ","); name != "" {
			names = append(names, protocolName{name, member(i + 1)})
		}
	}
	return names
}

func (d *strictReader) dictionary(of reflect.Type) {
	seen := map[string]bool{}
	d.open('{')
	for first := true; d.each(first, '}'); first = false {
		quoted, _ := d.name()
		if d.flaw != sound {
			return
		}
		key, err := jsontext.AppendUnquote(nil, quoted)
		switch {
		case err != nil:
			d.refuse(errEncoding)
			return
		case seen[string(key)]:
			d.refuse(errTwice)
			return
		}
		seen[string(key)] = true
		d.take(':')
		d.value(of)
	}
}
