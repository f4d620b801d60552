package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/doctor"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
)

// PrintJSON prints one object with "schema": 1. Members may be added to an
// object later, none is ever changed.
func (a *App) PrintJSON(members map[string]any) {
	object := map[string]any{"schema": 1}
	maps.Copy(object, members)
	a.encode(object, "  ")
}

// PrintEvent prints what printJSON does; a command that prints events while it runs
// prints each on one line, with its name.
func (a *App) PrintEvent(name string, members map[string]any) {
	if !a.Events {
		a.PrintJSON(members)
		return
	}
	event := map[string]any{"schema": 1, "event": name}
	maps.Copy(event, members)
	a.encode(event, "")
}

// encode prints JSON, in which what a terminal would obey is escaped.
func (a *App) encode(value any, indent string) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetIndent("", indent)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		a.Say("mcpauth: %v", err)
		return
	}
	if a.Query == nil {
		_, _ = a.Out.Write(text.CleanJSON(buf.Bytes())) // Main looks at the writer's error
		return
	}
	a.queried(buf.Bytes())
}

// PrintLine prints a JSON object that is one line already.
func (a *App) PrintLine(object []byte) {
	if a.Query == nil {
		a.Fact("%s", object)
		return
	}
	a.queried(object)
}

// queried prints what --jq makes of an object.
func (a *App) queried(object []byte) {
	lines, err := a.Query(object)
	for _, line := range lines {
		a.Fact("%s", text.CleanText(line))
	}
	if a.badQuery == nil {
		a.badQuery = err
	}
}

// CompactJSON is a value on one line.
func CompactJSON(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text.CleanJSON(data))
}

// Printable makes a text from outside fit for one line of a terminal.
func Printable(s string) string { return text.CleanLine(s) }

func OrDash(text string) string {
	if text == "" {
		return "-"
	}
	return Printable(text)
}

// Done reports that something was done, as a fact or as JSON.
func (a *App) Done(members map[string]any, format string, args ...any) {
	if a.JSON {
		a.PrintJSON(members)
		return
	}
	a.Fact(format, args...)
}

// PrintRaw prints JSON of the server, indented and nothing lost.
func (a *App) PrintRaw(text json.RawMessage) { a.encode(text, "  ") }

// Complain tells of a problem: on standard error for people, and with --json
// on standard output, too, where a script looks.
func (a *App) Complain(p *problem.Problem) {
	var rpc *mcpclient.ServerError
	isRPC := errors.As(p.Err, &rpc)
	if a.JSON && a.Query == nil { // an expression is for what a command prints, not for its errors
		members := map[string]any{"message": p.Msg, "hints": hints(p), "exit_code": p.Code}
		if code := doctor.CodeOf(p.Err); code != "" {
			members["code"] = code
		}
		if isRPC {
			members["rpc"] = map[string]any{"code": rpc.Code, "message": rpc.Message, "data": rpc.Data}
		}
		a.PrintEvent("failed", map[string]any{"error": members})
	}
	fmt.Fprintln(a.Err, "mcpauth: "+Printable(p.Msg))
	if isRPC && len(rpc.Data) > 0 {
		fmt.Fprintln(a.Err, "  data: "+Printable(CompactJSON(rpc.Data)))
	}
	for _, hint := range p.Hints {
		fmt.Fprintln(a.Err, "  "+Printable(hint))
	}
}

func hints(p *problem.Problem) []string {
	if p.Hints == nil {
		return []string{}
	}
	return p.Hints
}

// Say talks to the person, on standard error.
func (a *App) Say(format string, args ...any) {
	fmt.Fprintf(a.Err, a.marked(a.Err, format)+"\n", args...)
}

// Fact prints to standard output.
func (a *App) Fact(format string, args ...any) {
	fmt.Fprintf(a.Out, a.marked(a.Out, format)+"\n", args...)
}

func Usage(msg string, hints ...string) *problem.Problem {
	return &problem.Problem{Msg: msg, Hints: hints, Code: problem.ExitUsage}
}

// WhoIs names a user for people.
func WhoIs(user broker.User) string {
	for _, name := range []string{user.Email, user.PreferredUsername, user.Name, user.Sub} {
		if name != "" {
			return Printable(name)
		}
	}
	return "an unnamed user"
}
