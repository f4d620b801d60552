package relay

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// A line that is no message, in which the id of a call in flight can be read, answers
// that call with what is wrong.
func TestCallWhoseAnswerIsNotJSON(t *testing.T) {
	const answer = `{"jsonrpc":"2.0","id":2,"result":{"content":[]}}`
	nan := `{"jsonrpc":"2.0","id":2,"result":{"content":[],"structuredContent":{"mean":NaN}}}`
	wide := ""
	for _, unit := range utf16.Encode([]rune(answer)) {
		wide += string([]byte{byte(unit), byte(unit >> 8)})
	}
	tests := map[string]struct{ said, why string }{
		"NaN":                  {nan, "is not JSON: NaN at byte 75"},
		"minus Infinity":       {strings.Replace(nan, "NaN", "-Infinity", 1), "is not JSON: -Infinity at byte 75"},
		"None":                 {strings.Replace(nan, "NaN", "None", 1), "is not JSON: None at byte 75"},
		"nan":                  {strings.Replace(nan, "NaN", "nan", 1), "is not JSON: nan at byte 75"},
		"NaN in a batch":       {"[" + nan + "]", "is not JSON: NaN at byte 76"},
		"a raw tab":            {strings.Replace(answer, "[]", "\"a\tb\"", 1), "is not JSON: an unexpected character at byte 46"},
		"cut":                  {strings.TrimSuffix(answer, "}}"), "is not JSON: it ends too early"},
		"log prefix":           {"2026-11-30 [INFO] it's \"sent: " + answer, "is not JSON: other text stands before it"},
		"banner":               {"Starting server... " + answer, "is not JSON: other text stands before it"},
		"suffix":               {answer + " # 3 ms", "is not JSON: other text stands behind it"},
		"two answers":          {answer + answer, "is not JSON: other text stands behind it"},
		"colours":              {"\x1b[32m" + answer + "\x1b[0m", "is not JSON: other text stands before it"},
		"a title":              {"\x1b]0;server\x07" + answer, "is not JSON: other text stands before it"},
		"BOM":                  {"\ufeff" + answer, "is not JSON: a byte order mark stands before it"},
		"UTF-16":               {"\xff\xfe" + wide, "is not JSON: it is not UTF-8"},
		"indented":             {"{\n  \"jsonrpc\": \"2.0\",\n  \"result\": {\n    \"content\": []\n  },\n  \"id\": 2\n}", "is spread over several lines: a message is one line"},
		"frames":               {"Content-Length: 48\r\n\r\n" + answer + "Content-Length: 48\r", "is not JSON: other text stands behind it"},
		"Python's repr":        {`{'jsonrpc': '2.0', 'id': 2, 'result': {'content': None}}`, "is not JSON: a member name is not a string"},
		"a zero in front":      {strings.Replace(answer, "2,", "02,", 1), "is not JSON: an unexpected character at byte 23"},
		"a plus in front":      {strings.Replace(answer, "2,", "+2,", 1), "is not JSON: an unexpected character at byte 22"},
		"names without quotes": {`{jsonrpc:"2.0",id:2,result:{content:[{id:3,result:{}}]}}`, "is not JSON: a member name is not a string"},
		"one without quotes":   {`{"jsonrpc":"2.0", id : 2,"result":{}}`, "is not JSON: a member name is not a string"},
		"both":                 {`{result:{},id:002}`, "is not JSON: a member name is not a string"},
		"no result":            {`{"jsonrpc":"2.0","id":2}`, "has neither a result nor an error"},
		"null method":          {`{"id":2,"method":null,"jsonrpc":"2.0"}`, "has neither a result nor an error"},
		"long and NaN":         {strings.Replace(nan, "NaN", `["`+fill(longEnough)+`",NaN]`, 1), "broke off: is not JSON: NaN at byte "},
		"long, prefix":         {"INFO " + strings.Replace(answer, "[]", `"`+fill(longEnough)+`"`, 1), "is not JSON: other text stands before it"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := converse(t, &openGate{})
			c.listen()
			c.calls("1", "2", "3")
			c.backend.say(test.said)
			got := c.client.next()
			if !strings.Contains(got, `"error":`) {
				got = c.client.next() // behind what had begun to pass
			}
			if !strings.Contains(got, `{"jsonrpc":"2.0","id":2,"error":{"code":45`) || !strings.Contains(got, "mcpauth: the server's answer "+test.why) {
				t.Errorf("got %.300s, want %q", got, test.why)
			}
			for _, id := range []string{"1", "3"} {
				answer := `{"jsonrpc":"2.0","id":` + id + `,"result":{}}`
				c.backend.say(answer)
				c.client.hears(answer)
			}
		})
	}
}

// A frame has no line end before the next one comes.
func TestCallWhoseAnswerIsAFrame(t *testing.T) {
	for _, more := range []string{"", "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n"} {
		c := converse(t, &openGate{})
		c.listen()
		c.calls("1")
		const answer = `{"jsonrpc":"2.0","id":1,"result":{}}`
		if _, err := fmt.Fprintf(c.backend.in, "Content-Length: %d\r\n%s\r\n%s", len(answer), more, answer); err != nil {
			t.Fatal(err)
		}
		c.client.hears(`{"jsonrpc":"2.0","id":1,"error":{"code":4522,"message":"mcpauth: the server's answer comes in a frame with Content-Length: a message is one line"}}`)
	}
}

// A server that writes to its log what it sends, or has received, has answered nothing.
func TestLogOfMessagesIsNoAnswer(t *testing.T) {
	c := converse(t, &openGate{})
	c.listen()
	c.calls("1")
	answer := `{"jsonrpc":"2.0","id":1,"result":{}}`
	c.backend.say(
		`DEBUG received {"jsonrpc":"2.0","id":1,"method":"x"}`, `{"level":"debug","id":1,"msg":"working"}`, `{"id":1,`,
		`{event_id:1,result:{}}`, `{jsonrpc:"2.0",id:1,result:{}}`,
		"DEBUG sends "+answer, answer)
	c.client.hears(answer)
	time.Sleep(logging + 50*time.Millisecond) // nothing comes late
	c.calls("2")
	c.backend.say(strings.Replace(answer, "1", "2", 1))
	c.client.hears(strings.Replace(answer, "1", "2", 1))
}

// A name that one parser takes for the protocol's and another does not, or that stands
// there twice: no message, and the call that waits hears so at once.
func TestAttackNamesInTheServersMessage(t *testing.T) {
	const tools = `{"tools":[{"name":"danger"}]}`
	spellings := map[string][]string{
		"result":  {"result", `r\u0065sult`, "Result", "RESULT", "reſult", `result\u0000`, `result\u0000x`, "ｒｅｓｕｌｔ", "\ufeffresult", "result\xff", `result\ud800`},
		"id":      {"id", `\u0069d`, "ID", "Id", `id\u0000`, "ｉｄ"},
		"method":  {`m\u0065thod`, "Method", "method", "ｍethod"},
		"error":   {`err\u006fr`, "Error"},
		"params":  {`p\u0061rams`, "Params", "paramſ"},
		"jsonrpc": {"jsonrpc", "JSONRPC", `jsonrp\u0063`},
	}
	for name, all := range spellings {
		for _, spelled := range all {
			for length, more := range map[string]string{"short": "", "long": fill(longEnough)} {
				for _, form := range []string{
					`{"jsonrpc":"2.0","id":5,"params":{},"result":{"d":"%s"},"%s":%s}`,
					`{"%[2]s":%[3]s,"jsonrpc":"2.0","id":5,"params":{},"result":{"d":"%[1]s"}}`,
					`[{"jsonrpc":"2.0","id":5,"params":{},"result":{"d":"%s"},"%s":%s}]`,
				} {
					value := map[string]string{"result": tools, "error": `{"code":-32042}`, "params": "{}", "jsonrpc": `"2.0"`, "id": "5", "method": `"sampling/createMessage"`}[name]
					t.Run(name+" "+spelled+" "+length, func(t *testing.T) {
						c := converse(t, &openGate{})
						c.listen()
						c.calls("5")
						line := fmt.Sprintf(form, more, spelled, value)
						c.backend.say(line)
						got := c.client.next()
						if !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":5,"error":`) { // it had begun to pass
							if strings.HasSuffix(got, "}") && strings.Contains(got, spelled) {
								t.Errorf("passes: …%s", got[max(0, len(got)-200):])
							}
							got = c.client.next()
						}
						if !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":5,"error":{"code":45`) {
							t.Errorf("%.200s: %.300s", line, got)
						}
						<-c.stray
					})
				}
			}
		}
	}
}

// A request whose names have two readings reaches no client either.
func TestAttackNamesInTheServersRequest(t *testing.T) {
	var judged []string
	gate := &openGate{back: func(out *Output, _ *Request) Verdict {
		judged = append(judged, fmt.Sprint(out.Kind(), out.Method()))
		return Verdict{Action: Forward}
	}}
	c := converse(t, gate)
	c.listen()
	for _, line := range []string{
		`{"jsonrpc":"2.0","id":7,"method":"ping","params":{},"m\u0065thod":"sampling/createMessage"}`,
		`{"jsonrpc":"2.0","id":7,"method":"ping","Method":"sampling/createMessage"}`,
		`{"jsonrpc":"2.0","id":7,"method":"ping","method":"sampling/createMessage"}`,
		`{"jsonrpc":"2.0","i\u0064":7,"method":"sampling/createMessage"}`,
		`{"jsonrpc":"2.0","ID":7,"method":"sampling/createMessage"}`,
		`{"jsonrpc":"2.0","id":7,"method":["sampling/createMessage"]}`,
		`{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}`,
		`[{"jsonrpc":"2.0","id":7,"method":"ping","Method":"sampling/createMessage"}]`,
	} {
		c.backend.say(line)
		<-c.stray
	}
	c.backend.say(`{"jsonrpc":"2.0","method":"sampling/createMessage"}`, `{"jsonrpc":"2.0","id":null,"method":"sampling/createMessage"}`,
		`{"jsonrpc":"2.0","id":null,"method":"notifications/x"}`)
	c.client.next()
	c.client.next()
	c.client.next()
	if got := strings.Join(judged, " "); got != "1sampling/createMessage 1sampling/createMessage 2notifications/x" {
		t.Error(got)
	}
}

// Java's and .NET's clients end a line at a CR. Behind one stands no second message.
func TestAttackCarriageReturnOfTheServer(t *testing.T) {
	const smuggled = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"danger"}]}}`
	around := map[string][2]string{
		"a member":          {`{"jsonrpc":"2.0","id":1,"result":{},"x":` + "\r", "\r}"},
		"inside the result": {"\r" + `{"jsonrpc":"2.0","id":1,"result":{"a":[` + "\t\r", "\r]}}\r\r"},
		"a batch":           {`[{"jsonrpc":"2.0","method":"notifications/x","params":` + "\r", "\r}\r,\r" + `{"jsonrpc":"2.0","id":1,"result":{}}]`},
	}
	for name, text := range around {
		for size, pad := range map[string]string{"short": "", "long": `"pad":"` + fill(longEnough) + `",`} {
			t.Run(name+", "+size, func(t *testing.T) {
				c := converse(t, &openGate{})
				c.listen()
				c.calls("1", "2")
				before := strings.Replace(text[0], `{"jsonrpc"`, `{`+pad+`"jsonrpc"`, 1)
				c.backend.say(before+smuggled+text[1], `{"jsonrpc":"2.0","id":2,"result":{}}`)
				for heard := ""; !strings.Contains(heard, `"id":2`); {
					if heard = c.client.next(); strings.Contains(heard, "\r") {
						t.Errorf("the client hears %.40q…%q", heard, heard[max(0, len(heard)-120):])
					}
				}
			})
		}
	}
}

// null is no value: an error that is null makes no result an error.
func TestAttackNullMembers(t *testing.T) {
	for said, want := range map[string]struct {
		heard  string
		failed bool
	}{
		`{"jsonrpc":"2.0","id":5,"result":{},"error":null}`:                                 {"", false},
		`{"jsonrpc":"2.0","error":null,"id":5,"method":null,"params":null,"result":{}}`:     {"", false},
		`{"jsonrpc":"2.0","id":5,"result":null,"error":null}`:                               {"", false},
		`{"jsonrpc":"2.0","id":5,"result":null}`:                                            {"", false},
		`{"jsonrpc":"2.0","id":5,"result":{"tools":[]},"error":{"code":1,"message":"m"}}`:   {`{"jsonrpc":"2.0","id":5,"error":{"code":1,"message":"m"}}`, true},
		`{"jsonrpc":"2.0","id":5,"error":{"code":1,"message":"m"}, "result" : {"tools":1}}`: {`{"jsonrpc":"2.0","id":5,"error":{"code":1,"message":"m"}}`, true},
		`{"result":null,"jsonrpc":"2.0","id":5,"error":{"code":1,"message":"m"}}`:           {`{"jsonrpc":"2.0","id":5,"error":{"code":1,"message":"m"}}`, true},
	} {
		failed := false
		gate := &openGate{back: func(out *Output, request *Request) Verdict {
			failed = out.Failed()
			if request == nil || !failed && out.Result() == nil {
				t.Errorf("%s is not judged", said)
			}
			return Verdict{Action: Forward}
		}}
		c := converse(t, gate)
		c.listen()
		c.calls("5")
		if want.heard == "" {
			want.heard = said
		}
		c.backend.say(said)
		c.client.hears(want.heard)
		if failed != want.failed {
			t.Errorf("%s: failed is %v", said, failed)
		}
	}
	c := converse(t, &openGate{})
	c.listen()
	c.calls("5")
	c.backend.say(`{"jsonrpc":"2.0","id":5,"error":null}`)
	if got := c.client.next(); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":5,"error":{"code":4522,`) {
		t.Error(got)
	}
}
