package audit

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Any record is exactly one line of printable ASCII under the bound, and reads back
// as itself, but for what the line says was cut.
func FuzzRecord(f *testing.F) {
	f.Add("list_users", "sub", 3, int64(1_800_000_000_000), true)
	f.Add("x\"}\n{\"time\":\"\u2028\xff\x00", strings.Repeat("\x1b", 5000), -1, int64(0), false)
	f.Add(strings.Repeat("\U0001F600", 300), strings.Repeat("é", 99), 1<<62, int64(-1), true)
	f.Fuzz(func(t *testing.T, a, b string, n int, ms int64, spoofed bool) {
		const year10000 = 253402300800000
		if ms < 0 || ms >= year10000 {
			ms = 0 // Append never writes such a time
		}
		r := Record{Time: time.UnixMilli(ms), PID: n, Spoofed: spoofed, Cut: n & 0xffff}
		fields := reflect.ValueOf(&r).Elem()
		for i := range fields.NumField() {
			if field := fields.Field(i); field.Kind() == reflect.String {
				field.SetString([]string{a, b}[i%2])
			}
		}
		for i := range n & 0xff {
			r.Arguments = append(r.Arguments, Argument{Name: []string{a, b}[i%2], Bytes: n, Value: b})
		}
		line := seal(&r)
		if len(line) > maxLine {
			t.Fatalf("%d bytes", len(line))
		}
		if i := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }); i != len(line)-1 {
			t.Fatalf("byte %d of %q", i, line)
		}
		got := parse(t, line)
		if again := seal(&got); !bytes.Equal(again, line) {
			t.Fatalf("reads back otherwise:\n%s%s", line, again)
		}
		checkFields(t, &r, &got)
	})
}

// seal is the record as the first of a file.
func seal(r *Record) []byte {
	at := origin()
	return encode(nil, r, &at)
}

// checkFields compares what was read with what was written, member by member.
func checkFields(t *testing.T, r, got *Record) {
	t.Helper()
	cut := 0
	check := func(name, want, is string) {
		t.Helper()
		if !strings.HasPrefix(string([]rune(want)), is) {
			t.Fatalf("%s: %q reads back as %q", name, want, is)
		}
		cut += len(want) - lengthIn(want, is)
	}
	was, is := reflect.ValueOf(r).Elem(), reflect.ValueOf(got).Elem()
	for i := range was.NumField() {
		if name := was.Type().Field(i).Name; was.Field(i).Kind() == reflect.String && name != "Prev" && name != "Hash" {
			check(was.Type().Field(i).Name, was.Field(i).String(), is.Field(i).String())
		}
	}
	if len(got.Arguments)+got.ArgumentsCut != len(r.Arguments) {
		t.Fatalf("%d arguments and %d cut, of %d", len(got.Arguments), got.ArgumentsCut, len(r.Arguments))
	}
	for i, a := range got.Arguments {
		check("argument", r.Arguments[i].Name, a.Name)
		check("value", r.Arguments[i].Value, a.Value)
		if a.Bytes != r.Arguments[i].Bytes {
			t.Fatalf("argument %d has %d bytes", i, a.Bytes)
		}
	}
	if got.Cut-r.Cut != cut {
		t.Fatalf("%d bytes cut, the line says %d", cut, got.Cut-r.Cut)
	}
	if !got.Time.Equal(r.Time) || got.PID != r.PID || got.Spoofed != r.Spoofed {
		t.Fatalf("reads back as %+v", got)
	}
}

// lengthIn is how many bytes of want became is: an invalid byte became U+FFFD.
func lengthIn(want, is string) int {
	runes := len([]rune(is))
	for i := range want {
		if runes == 0 {
			return i
		}
		runes--
	}
	return len(want)
}
