package transparency

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// fault is what a broken relay makes of one line: the lines that go on.
type fault func(line string) []string

// faults are made on the way to the client or, with a name that begins with
// "client's" or "user", on the way to the server. Each function keeps its own
// state.
var faults = map[string]func() fault{
	"none": func() fault { return func(line string) []string { return []string{line} } },
	"progress lost": func() fault {
		seen := 0
		return func(line string) []string {
			if strings.Contains(line, "notifications/progress") {
				if seen++; seen == 2 {
					return nil
				}
			}
			return []string{line}
		}
	},
	"notifications reordered": func() fault {
		held := ""
		return func(line string) []string {
			switch {
			case held == "" && strings.Contains(line, "notifications/message"):
				held = line
				return nil
			case held != "" && held != "gone":
				lines := []string{line, held}
				held = "gone"
				return lines
			}
			return []string{line}
		}
	},
	"request lost": func() fault {
		return func(line string) []string {
			if strings.Contains(line, `"method":"ping"`) {
				return nil
			}
			return []string{line}
		}
	},
	"answer twice": func() fault {
		return func(line string) []string {
			if strings.Contains(line, `"id":2,`) {
				return []string{line, line}
			}
			return []string{line}
		}
	},
	"id as a string":          rewriting(`"id":2,`, `"id":"2",`),
	"big id rounded":          rewriting(`9007199254740993`, `9007199254740992`),
	"numbers encoded anew":    rewriting(`1.0`, `1`),
	"escapes decoded":         rewriting(`caf\u00e9`, `café`),
	"member lost":             rewriting(`,"x-vendor":true`, ``),
	"white space lost":        rewriting(`{ "`, `{"`),
	"encoded anew":            encodedAnew,
	"client's id as a string": rewriting(`"id":2,`, `"id":"2",`),
	"client's numbers":        rewriting(`1e2`, `100`),
	"client's _meta lost":     rewriting(`"com.example/k":1,`, ``),
	"client's params added":   rewriting(`"method":"ping"`, `"method":"ping","params":{"_meta":{"x":1}}`),
	"user lost":               rewriting(`"io.github.mcpauth/user":`, `"com.example/user":`),
	"user altered":            rewriting(`"sub":"ada"`, `"sub":"eve"`),
}

func rewriting(from, to string) func() fault {
	return func() fault {
		return func(line string) []string { return []string{strings.ReplaceAll(line, from, to)} }
	}
}

// encodedAnew is what a relay with a typed library does.
func encodedAnew() fault {
	return func(line string) []string {
		var v any
		check(json.Unmarshal([]byte(line), &v))
		text, err := json.Marshal(v)
		check(err)
		return []string{string(text)}
	}
}

// playBroken is a relay with a fault in front of a command.
func playBroken(args []string) {
	name, command := args[0], exec.Command(args[1], args[2:]...)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	check(err)
	stdout, err := command.StdoutPipe()
	check(err)
	check(command.Start())
	toServer, toClient := faults["none"](), faults[name]()
	if strings.HasPrefix(name, "client's") || strings.HasPrefix(name, "user") {
		toServer, toClient = toClient, toServer
	}
	go func() {
		passOn(os.Stdin, stdin, toServer)
		stdin.Close()
	}()
	passOn(stdout, os.Stdout, toClient)
	check(command.Wait())
}

func passOn(from io.Reader, to io.Writer, change fault) {
	reader := bufio.NewReader(from)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		for _, line := range change(strings.TrimSuffix(line, "\n")) {
			if _, err := io.WriteString(to, line+"\n"); err != nil {
				return
			}
		}
	}
}

// caught says what must be found of each fault: by comparing with a direct run,
// and by watching both ends of one run. A fault towards the server does not
// show in what a puppet says.
var caught = map[string]struct{ compared, watched string }{
	"progress lost":           {`^(lost: message|message \d+ that is no answer: another value)`, `lost|another value`},
	"notifications reordered": {`^message 1 that is no answer: another value`, `line \d+: another value`},
	"request lost":            {`^message \d+ that is no answer: another value|^lost`, `another value|lost`},
	"answer twice":            {`^added: the answer to 2, again`, `another value|added`},
	"id as a string":          {`^lost: the answer to 2: `, `another value`},
	"big id rounded":          {`^lost: the answer to 9007199254740993: `, `another value`},
	"numbers encoded anew":    {`the same value in other bytes`, `the same value in other bytes`},
	"escapes decoded":         {`the same value in other bytes`, `the same value in other bytes`},
	"member lost":             {`^the answer to 2: another value`, `another value`},
	"white space lost":        {`^the answer to 3: the same value in other bytes`, `the same value in other bytes`},
	"encoded anew":            {`^the answer to 3: the same value in other bytes`, `another value`},
	"client's id as a string": {``, `from the client to the server: line \d+: another value`},
	"client's numbers":        {``, `from the client to the server: line \d+: the same value in other bytes`},
	"client's _meta lost":     {``, `from the client to the server: line \d+: another value`},
	"client's params added":   {``, `from the client to the server: line \d+: another value`},
	"user lost":               {``, `from the client to the server: line \d+: the user is missing`},
	"user altered":            {``, `from the client to the server: line \d+: the user is missing`},
}

// TestBrokenRelayIsCaught is the proof that the comparison sees what it is for.
func TestBrokenRelayIsCaught(t *testing.T) {
	m := newMachine(t)
	steps := script(t, "controls", "2025-11-25", values("2025-11-25", ""))
	direct := m.talk(t, part("puppet"), steps)
	for name := range faults {
		t.Run(name, func(t *testing.T) {
			recording := t.TempDir()
			s := open(t, m.command(withFault(name, recording)))
			s.patience = time.Second
			if name == "none" {
				s.patience = patience
			}
			err := s.play(steps)
			through := run{sent: s.sent, heard: s.heard, farewell: s.close()}
			through.received, through.said = recorded(t, recording, "received"), recorded(t, recording, "said")
			compared, watched := differences(direct.heard, through.heard, nil), altered(through)
			if name == "none" {
				if err != nil || len(compared)+len(watched) > 0 {
					t.Errorf("an honest relay is accused: %v\n%s\n%s", err, compared, watched)
				}
				return
			}
			expect(t, "the comparison", compared, caught[name].compared)
			expect(t, "the witness", watched, caught[name].watched)
		})
	}
}

// withFault is the proxy with a broken relay: before it or, as only there is a
// user, behind it.
func withFault(name, recording string) []string {
	puppet := tee(recording, part("puppet"))
	if strings.HasPrefix(name, "user") {
		return proxied(append(part("broken", name), puppet...))
	}
	return append(part("broken", name), proxied(puppet)...)
}

func expect(t *testing.T, who string, found []string, want string) {
	t.Helper()
	if want == "" {
		return
	}
	if !slices.ContainsFunc(found, regexp.MustCompile(want).MatchString) {
		t.Errorf("%s found no %q in %d findings:\n%s", who, want, len(found), strings.Join(found, "\n"))
	}
}
