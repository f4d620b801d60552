package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// userKey is the member of _meta that carries the user.
const userKey = `"io.github.mcpauth/user":`

// appendCall appends a tools/call line.
func appendCall(dst []byte, id int, tool, arguments string) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	dst = strconv.AppendInt(dst, int64(id), 10)
	dst = append(dst, `,"method":"tools/call","params":{"name":"`...)
	dst = append(append(dst, tool...), `","arguments":`...)
	return append(append(dst, arguments...), "}}\n"...)
}

// appendEcho appends what the server answers a call of its tool echo with.
func appendEcho(dst []byte, id int, arguments string) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	dst = strconv.AppendInt(dst, int64(id), 10)
	dst = append(dst, `,"result":{"content":[],"structuredContent":`...)
	return append(append(dst, arguments...), "}}"...)
}

func appendProgress(dst []byte, n int) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":`...)
	return append(strconv.AppendInt(dst, int64(n), 10), "}}\n"...)
}

func appendLog(dst []byte, n int) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":`...)
	return append(strconv.AppendInt(dst, int64(n), 10), "}}"...)
}

const askList = `,"method":"tools/list","params":{}}` + "\n"

func appendList(dst []byte, id int) []byte {
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	return append(strconv.AppendInt(dst, int64(id), 10), askList...)
}

// listedTools is how many tools the server has: as many as a GitHub and a Jira
// server together, 120 KB of schemas.
const listedTools = 310

// toolList is the result of tools/list, as the server sends it or as a model
// sees it. One of its tools declares the user as an argument.
func toolList(declared bool) []byte {
	var list bytes.Buffer
	list.WriteString(`{"tools":[{"name":"mine","inputSchema":{"type":"object","properties":{`)
	if declared {
		list.WriteString(`"_oauth_user":{"type":"object"},`)
	}
	list.WriteString(`"x":{"type":"number"}}}}`)
	for _, name := range []string{"echo", "line", "ask", "burst", "stats"} {
		fmt.Fprintf(&list, `,{"name":%q,"inputSchema":{"type":"object"}}`, name)
	}
	for n := 6; n < listedTools; n++ {
		fmt.Fprintf(&list, `,{"name":"tool_%d","description":"Finds the items of a project that match a query, newest first.",`+
			`"inputSchema":{"type":"object","properties":{"project":{"type":"string","description":"key of the project"},`+
			`"query":{"type":"string","description":"words, or a filter such as state:open"},`+
			`"limit":{"type":"integer","minimum":1,"maximum":100}},"required":["project"]}}`, n)
	}
	list.WriteString(`]}`)
	return list.Bytes()
}

// received is what the server must receive for a line of the client: with the
// user first in params._meta and, for the tool that declares it, first in its
// arguments.
func (t *target) received(line []byte) []byte {
	if !t.proxy {
		return line
	}
	user := string(t.user)
	text := bytes.Replace(line, []byte(`"name":"mine","arguments":{`), []byte(`"name":"mine","arguments":{"_oauth_user":`+user+`,`), 1)
	if own := []byte(`"_meta":{`); bytes.Contains(line, own) {
		return bytes.Replace(text, own, []byte(`"_meta":{`+userKey+user+`,`), 1)
	}
	return bytes.Replace(text, []byte(`"params":{`), []byte(`"params":{"_meta":{`+userKey+user+`},`), 1)
}
