package relay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

// The tests of this file read a line as backends do, not as we do: with other
// line ends, with other ideas of which duplicate counts and which names are the
// same. A line may only be forwarded if all of them see what was judged.

var testReserved = Reserved{Meta: "io.github.mcpauth/user", Argument: "_oauth_user"}

const (
	testUser  = `{"sub":"ada"}`
	forgedSub = "mallory"
)

// reading is what one backend understands.
type reading struct {
	method, name, uri  string
	metaUser, argument any
}

// everySeparator is how nobody reads stdin that we know of (neither node 20's
// readline nor Python's), but str.splitlines and some readlines would.
const everySeparator = "CR, LS, PS and NEL as well (readline, splitlines)"

// anyMessage reports whether one of the lines could be a message: an object with
// members. One without, cut out of a string, is none, and the quotes of a
// member's name could not stand in a string.
func anyMessage(lines []string) bool {
	for _, line := range lines {
		value, err := loose(line)
		if members, _ := value.([]pair); err == nil && len(members) > 0 {
			return true
		}
	}
	return false
}

// splitters are the ways in which backends cut their input into lines.
var splitters = map[string]func(string) []string{
	"LF only (bufio, node's split)": func(s string) []string { return strings.Split(s, "\n") },
	"universal newlines (Python's TextIOWrapper)": func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	},
	everySeparator: func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool {
			return strings.ContainsRune("\n\r\u2028\u2029\u0085\v\f\x1c\x1d\x1e", r)
		})
	},
}

// choosers are the ways in which backends choose among members.
var choosers = map[string]func(members []pair, name string) (any, bool){
	"first": func(members []pair, name string) (any, bool) {
		for _, m := range members {
			if m.name == name {
				return m.value, true
			}
		}
		return nil, false
	},
	"last": func(members []pair, name string) (any, bool) {
		return lastWhere(members, func(have string) bool { return have == name })
	},
	"last, case-folded": func(members []pair, name string) (any, bool) {
		return lastWhere(members, func(have string) bool { return strings.EqualFold(have, name) })
	},
	"last, cut at NUL": func(members []pair, name string) (any, bool) {
		return lastWhere(members, func(have string) bool {
			have, _, _ = strings.Cut(have, "\x00")
			return have == name
		})
	},
}

func lastWhere(members []pair, is func(string) bool) (value any, found bool) {
	for _, m := range members {
		if is(m.name) {
			value, found = m.value, true
		}
	}
	return value, found
}

// pair is a member of an object, duplicates included.
type pair struct {
	name  string
	value any // []pair, []any, string, json.Number, bool, nil
}

// loose reads JSON with all members in order.
func loose(text string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	value, err := looseValue(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("trailing data")
	}
	return value, nil
}

func looseValue(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		members := []pair{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			value, err := looseValue(dec)
			if err != nil {
				return nil, err
			}
			members = append(members, pair{name.(string), value})
		}
		_, err := dec.Token()
		return members, err
	case json.Delim('['):
		elements := []any{}
		for dec.More() {
			value, err := looseValue(dec)
			if err != nil {
				return nil, err
			}
			elements = append(elements, value)
		}
		_, err := dec.Token()
		return elements, err
	}
	return token, nil
}

// understood lists what all the backends make of the bytes on their stdin.
func understood(sent []byte) (map[string]reading, error) {
	all := map[string]reading{}
	for how, split := range splitters {
		var lines []string
		for _, l := range split(string(sent)) {
			if strings.TrimSpace(l) != "" {
				lines = append(lines, l)
			}
		}
		if how == everySeparator && len(lines) > 1 && !anyMessage(lines) {
			continue // a separator in a string: such a backend cannot read the message, nor another
		}
		if len(lines) != 1 {
			return nil, fmt.Errorf("%s: %d lines: %q", how, len(lines), lines)
		}
		value, err := loose(lines[0])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", how, err)
		}
		members, ok := value.([]pair)
		if !ok {
			return nil, fmt.Errorf("%s: not an object", how)
		}
		for which, choose := range choosers {
			all[how+", "+which] = readMessage(members, choose)
		}
	}
	return all, nil
}

func readMessage(members []pair, choose func([]pair, string) (any, bool)) reading {
	var r reading
	text := func(from []pair, name string) string {
		value, _ := choose(from, name)
		s, _ := value.(string)
		return s
	}
	object := func(from []pair, name string) []pair {
		value, _ := choose(from, name)
		o, _ := value.([]pair)
		return o
	}
	r.method = text(members, "method")
	params := object(members, "params")
	r.name, r.uri = text(params, "name"), text(params, "uri")
	r.metaUser, _ = choose(object(params, "_meta"), testReserved.Meta)
	r.argument, _ = choose(object(params, "arguments"), testReserved.Argument)
	return r
}

// relayed is what the backend gets for a line of the client, nil when the line
// is refused or blank.
func relayed(t testing.TB, text []byte) (*Message, []byte) {
	t.Helper()
	m, refusal := NewParser(testReserved).Parse(text)
	if refusal != nil {
		if refusal.Reason == "" || refusal.Code == 0 {
			t.Errorf("a refusal without a reason or a code: %+v", refusal)
		}
		return nil, nil
	}
	if m == nil {
		return nil, nil
	}
	add := Insertion{}
	if m.Method() == "tools/call" {
		add = Insertion{Meta: []byte(testUser), Argument: []byte(testUser)}
	}
	sent, ok := m.Splice(nil, testReserved, add)
	if !ok {
		return nil, nil
	}
	return m, append(sent, '\n')
}

// checkOneReading fails unless every backend sees what was judged.
func checkOneReading(t testing.TB, text []byte) {
	t.Helper()
	m, sent := relayed(t, text)
	if m == nil {
		return
	}
	if bytes.Contains(sent, []byte("\r")) || bytes.Contains(sent, []byte("\t")) {
		t.Errorf("a raw control byte goes to the backend: %q", sent)
	}
	all, err := understood(sent)
	if err != nil {
		t.Fatalf("%q\nwas sent on as\n%q\nwhich is not one message: %v", text, sent, err)
	}
	want := reading{method: m.Method(), name: m.Name(), uri: m.URI()}
	if m.Method() == "tools/call" {
		user, err := loose(testUser)
		if err != nil {
			t.Fatal(err)
		}
		want.metaUser, want.argument = user, user
	}
	for how, got := range all {
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q\nwas sent on as\n%q\nread with %s it is\n%+v\nbut it was judged as\n%+v", text, sent, how, got, want)
		}
	}
}
