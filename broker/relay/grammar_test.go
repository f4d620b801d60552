package relay

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// trickle reads a text in pieces of one to a few bytes, so that every token is
// cut somewhere.
type trickle struct {
	text []byte
	n    int
}

func (r *trickle) Read(p []byte) (int, error) {
	if len(r.text) == 0 {
		return 0, io.EOF
	}
	r.n = r.n%3 + 1
	n := copy(p[:min(len(p), r.n)], r.text)
	r.text = r.text[n:]
	return n, nil
}

// parseInPieces reads a line as a long one is read, through a buffer of a few
// bytes. The caller closes what holds it.
func parseInPieces(p *Parser, line []byte, buffer int) (*Message, *Refusal, *spool) {
	lines := newLineReader(&trickle{text: append(bytes.Clone(line), '\n')}, buffer)
	l := lines.long(1 << 20) // nothing is read yet
	held := newSpool()
	l.emit = func(piece []byte) bool { held.add(piece); return true }
	m, refusal := p.parseLong(l.text(), l.more, held)
	l.rest()
	return m, refusal, held
}

// shape is all that the relay knows of a message, in a form that can be compared.
type shape struct {
	Kind    Kind
	Members [members]span
	First   [members]byte
	Objects [2]object
	Meta    object
	Cuts    []span
	Args    []argumentAt
	Bytes   string
	Sent    string
}

func shapeOf(m *Message) shape {
	sent, _ := m.Splice(nil, testReserved, Insertion{Meta: []byte(testUser), Argument: []byte(testUser)})
	return shape{
		m.kind, m.members, m.first, m.objects, m.metaAt,
		append([]span{}, m.cuts...), append([]argumentAt{}, m.args...),
		// The CR of a CRLF is a blank where the line end is not in sight yet.
		strings.TrimRight(string(m.Bytes()), " "), strings.TrimRight(string(sent), " "),
	}
}

// checkParsers holds our parser, on the whole line and in pieces, against
// jsontext: it refuses the same and finds the same at the same places.
func checkParsers(t *testing.T, line []byte) {
	t.Helper()
	reference := oracle{reserved: testReserved}
	want, wantRefusal := reference.parse(line)
	whole, wholeRefusal := NewParser(testReserved).Parse(bytes.Clone(line))
	compare(t, "whole", line, whole, wholeRefusal, want, wantRefusal)
	for _, buffer := range []int{4, 7} {
		m, refusal, held := parseInPieces(NewParser(testReserved), line, buffer)
		compare(t, "in pieces", line, m, refusal, want, wantRefusal)
		if refusal != nil {
			var w window
			held.again(&w)
			if id := soleID(&w); !bytes.Equal(id, SoleID(line)) {
				t.Errorf("%q: id %q in pieces, %q in one", line, id, SoleID(line))
			}
		}
		held.close()
	}
}

func compare(t *testing.T, how string, line []byte, got *Message, refusal *Refusal, want *Message, wantRefusal *Refusal) {
	t.Helper()
	if (got == nil) != (want == nil) || (refusal == nil) != (wantRefusal == nil) {
		t.Fatalf("%s: %q\nis refused with %v, by jsontext with %v", how, line, refusal, wantRefusal)
	}
	// What is wrong in two ways may be refused for either.
	if refusal != nil && refusal.Code != wantRefusal.Code && !tooDeep(line) {
		t.Errorf("%s: %q\nis refused with %v, by jsontext with %v", how, line, refusal, wantRefusal)
	}
	if got != nil && !reflect.DeepEqual(shapeOf(got), shapeOf(want)) {
		t.Fatalf("%s: %q\ngot  %+v\nwant %+v", how, line, shapeOf(got), shapeOf(want))
	}
}

func TestParserAgreesWithJSONText(t *testing.T) {
	for _, test := range hostile {
		t.Run(test.name, func(t *testing.T) { checkParsers(t, []byte(test.line)) })
	}
	for _, line := range []string{
		"", " ", "\r", "\t \r", "\x00", " {}", "{}", "[", "{", `"`, `"\`, `"\u`, "-", "0", "01", "1.", "1e", "1e+", "nul", "nulll", "truefalse",
		`{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1 "b":2}`, `{"a" 1}`, `{,}`, `[,]`, `{1:2}`, `{"a":1}}`, `{"a":[1,]}`, `{"a":[1 2]}`,
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\ud834\udd1e\/\b\f\n\r\t\"\\é€𝄞","b":[-0,-0.0,1E+2,1e-2,0.10,true,false,null,{},[]]}}`,
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\udd1e"}}`, `{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\ud834x"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\ud834\ud834"}}`, `{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\ud834\n"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\uD83X"}}`, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{\"a\":\"\xf0\x9d\x84\"}}",
		`{"jsonrpc":"2.0","id":1,"method":"x","params":null}`, `{"jsonrpc":"2.0","id":1,"method":"x","params":nul}`,
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"x":` + strings.Repeat("[", MaxDepth-2) + strings.Repeat("]", MaxDepth-2) + `}}`,
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"x":` + strings.Repeat("[", MaxDepth-1) + strings.Repeat("]", MaxDepth-1) + `}}`,
		call(`"arguments":{"x":1` + strings.Repeat(`,"_oauth_user":1`, maxForged) + `}`),
		call(`"arguments":{"x":1` + strings.Repeat(`,"_oauth_user":1`, maxForged+1) + `}`),
	} {
		checkParsers(t, []byte(line))
	}
}

// FuzzScannerAgreesWithParser proves that the strict grammar is jsontext's: for
// any line both refuse, or both find the same members at the same places, no
// matter how the line is cut into pieces.
func FuzzScannerAgreesWithParser(f *testing.F) {
	for _, test := range hostile {
		if len(test.line) < 1000 {
			f.Add([]byte(test.line))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return // the reader of lines cuts there
		}
		checkParsers(t, line)
	})
}

// FuzzOutputAgreesWithJSONText proves the same of what the backend says.
func FuzzOutputAgreesWithJSONText(f *testing.F) {
	for _, line := range outputs {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) { checkOutput(t, line) })
}

var outputs = []string{
	`{"jsonrpc":"2.0","id":1,"result":{"a":[1,2.50,"\ud800"]},"x":true}`,
	`{"result":{},"jsonrpc":"2.0","id":"a"}`, `{"jsonrpc":"2.0","method":"notifications/x"}`,
	`{"jsonrpc":"2.0","id":1,"method":"roots/list"} `, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"message\":\"\xff\"}}\r",
	`{"id":1,"id":2,"result":1}`, `{}`, `{"level":"info"}`, `[]`, `x`, `{"result":1}{}`, `{"result":1`, `{"result":1,}`, `{"id":1,"result":"\x"}`,
	"{\"id\":1,\"result\":\"a\tb\"}", "{\t\"id\"\n:1,\"result\":1}", `{"method":1,"id":2}`, `{"result":nul}`,
	`{"jsonrpc":"2.0","id":1,"method":null,"params":null,"result":{},"error":null}`, `{"id":null,"method":"notifications/x","result":null,"error":null}`,
	`{"id":1,"result":null,"error":{"code":1}}`, `{"error":{"code":1},"id":1,"result":{"tools":[]}}`, `{"result":1 , "error":{},"id":1}`, `{"id":1,"error":null}`,
	`{"id":1,"method":"x","error":{}}`, `{"id":1,"method":"x","result":{}}`, `{"method":"sampling/createMessage"}`, `{"id":1,"result":1,"r\u0065sult":2}`,
	`{"id":1,"result":1,"Result":2}`, `{"id":1,"reſult":2}`, `{"id":1,"result":1,"error\u0000":2}`, "{\"id\xff\":1,\"id\":2,\"result\":1}", `{"id":1,"id\ud800":2,"result":1}`,
}

func TestOutputAgreesWithJSONText(t *testing.T) {
	for _, line := range outputs {
		checkOutput(t, []byte(line))
	}
}

func checkOutput(t *testing.T, line []byte) {
	t.Helper()
	var scanner Scanner
	before := bytes.Clone(line)
	got, want := scanner.Scan(line), looseOutput(blanked(bytes.TrimSuffix(before, []byte{'\r'})))
	if (got == nil) != (want == nil) {
		t.Fatalf("%q is a message: %v, for jsontext: %v", line, got != nil, want != nil)
	}
	if got != nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q\ngot  %+v\nwant %+v", line, got, want)
	}
	if !bytes.Equal(blanked(before), blanked(line)) {
		t.Fatalf("%q was changed to %q", before, line)
	}
}

// BenchmarkParse compares our parser with jsontext, on what passes most and on
// what is long.
func BenchmarkParse(b *testing.B) {
	lines := map[string]string{
		"call of 100 B":  `{"method":"tools/call","params":{"name":"echo","arguments":{"message":"` + strings.Repeat("x", 60) + `"},"_meta":{"progressToken":1}},"jsonrpc":"2.0","id":42}`,
		"64 KiB base64":  call(`"arguments":{"d":"` + strings.Repeat("QUJDREVGR0g=", 64<<10/12) + `"}`),
		"64 KiB numbers": call(`"arguments":{"d":[` + strings.Repeat("1.25,", 64<<10/5) + `0]}`),
		"64 KiB records": call(`"arguments":{"d":[` + strings.Repeat(`{"id":17,"name":"Ada","tags":["a","b"]},`, 64<<10/40) + `0]}`),
		"64 KiB Chinese": call(`"arguments":{"d":"` + strings.Repeat("漢字", 64<<10/6) + `"}`),
	}
	for name, line := range lines {
		text := []byte(line)
		b.Run(name+"/ours", func(b *testing.B) {
			p := NewParser(testReserved)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if m, _ := p.Parse(text); m == nil {
					b.Fatal("refused")
				}
			}
		})
		b.Run(name+"/jsontext", func(b *testing.B) {
			p := oracle{reserved: testReserved}
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if p.read(text) != nil {
					b.Fatal("refused")
				}
			}
		})
	}
}

// Every byte at every place, behind bytes that are plain and before some that are not.
func TestPlainBytesEndWhereOneIsNot(t *testing.T) {
	const size = 80
	for b := range 256 {
		plain := b >= ' ' && b < utf8.RuneSelf && b != '"' && b != '\\'
		for at := range size {
			text := bytes.Repeat([]byte("a~ !#][\x7f"), size/8)
			text[at] = byte(b)
			want := at
			if plain {
				want = size
			}
			if got := plainBytes(text); got != want {
				t.Fatalf("%#x at %d: %d, not %d", b, at, got, want)
			}
			for _, next := range []byte{0, '"', '\\', 0x80, 0xff} {
				if at+1 == size {
					continue
				}
				text[at+1] = next
				if got := plainBytes(text); got != min(want, at+1) {
					t.Fatalf("%#x at %d before %#x: %d", b, at, next, got)
				}
			}
		}
	}
}

func BenchmarkPlainBytes(b *testing.B) {
	text := bytes.Repeat([]byte{'x'}, 64<<10)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		plainBytes(text)
	}
}
