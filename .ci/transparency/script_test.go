package transparency

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// revisions are those of the Model Context Protocol, the last one without a
// handshake.
var revisions = []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"}

// step is one line of a script:
//
//	> LINE           send the line, and wait for the answer if it is a request
//	>> LINE          send the line and go on
//	~ LINE           make the puppet say the line, and wait for it
//	~~ LINE          make the puppet say the line and go on
//	< ID             wait for the answer to a request
//	< METHOD N       wait until N messages with this method were heard in all
//	= METHOD RESULT  answer the server's requests of this method by this result,
//	                 or by nothing
//	! METHOD ERROR   … by this error
//
// A line that begins with [REVISION..] or [..REVISION] is for some revisions
// only; # begins a remark.
type step struct {
	number     int
	verb, text string
}

var (
	stepForm = regexp.MustCompile(`^(>>|>|~~|~|<|=|!) (.+)$`)
	onlyFor  = regexp.MustCompile(`^\[(\d{4}-\d\d-\d\d)?(\.\.)?(\d{4}-\d\d-\d\d)?\] `)
)

// script reads the steps of a file that are for a revision.
func script(t *testing.T, name, revision string, values *strings.Replacer) []step {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".script")
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if only := onlyFor.FindStringSubmatch(line); only != nil {
			line = strings.TrimPrefix(line, only[0])
			if !covers(only, revision) {
				continue
			}
		}
		form := stepForm.FindStringSubmatch(line)
		if form == nil {
			t.Fatalf("%s.script:%d is no step: %s", name, i+1, line)
		}
		steps = append(steps, step{number: i + 1, verb: form[1], text: values.Replace(form[2])})
	}
	return steps
}

func covers(only []string, revision string) bool {
	at := slices.Index(revisions, revision)
	from, to := slices.Index(revisions, only[1]), slices.Index(revisions, only[3])
	switch {
	case only[2] == "":
		return at == from
	case to < 0:
		return at >= from
	}
	return at >= from && at <= to
}

// modernMeta is what each request of 2026-07-28 carries in its _meta.
const modernMeta = `"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
	`"io.modelcontextprotocol/clientInfo":{"name":"script","version":"1"},` +
	`"io.modelcontextprotocol/clientCapabilities":{"sampling":{},"roots":{},"elicitation":{"form":{},"url":{}},"extensions":{"io.modelcontextprotocol/tasks":{}}}`

// values are what scripts may name.
func values(revision, folder string) *strings.Replacer {
	meta := modernMeta
	if revision != "2026-07-28" {
		meta = `"com.example/anything":[1.0]`
	}
	return strings.NewReplacer(
		"$REVISION", revision, "$META", meta, "$FOLDER", folder,
		"$MIB", strings.Repeat("0123456789abcde ", 1<<16), "$ODD", odd(300<<10),
	)
}

// odd is a JSON value of a size that holds whatever a relay could stumble over
// where it cuts a long line into pieces; the pieces of it have no common length,
// so that each is cut somewhere.
func odd(size int) string {
	pieces := []string{
		`1.0`, `-0`, `1E+2`, `12345678901234567890`, `0.1000`, `"caf\u00e9 é 😀 \ud83d\ude00 \u2028 \" \\ \/ \u0000"`,
		`{"id":1,"method":"tools/call","params":{"name":"other","_meta":{}},"result":[],"error":{}}`, `"{\"id\":2}"`,
		`{ "a" : [ ] , "" : null, "_meta" : { "progressToken" : 1.0 } }`, `[[[[[[[[[[]]]]]]]]]]`, `"]}"`, `true`,
	}
	text := []byte{'['}
	for i := 0; len(text) < size; i++ {
		text = append(text, pieces[i%len(pieces)]...)
		text = append(text, ',')
		text = append(text, strings.Repeat(" ", i%7)...)
	}
	return string(append(text, `"the end"]`...))
}

var picked = regexp.MustCompile(`\$\{([^:}]+):([^}]+)\}`)

// fill puts in what earlier answers held: ${7:result.requestState} is that text
// of the answer to 7.
func (s *session) fill(text string) (string, error) {
	var failed error
	return picked.ReplaceAllStringFunc(text, func(name string) string {
		parts := picked.FindStringSubmatch(name)
		found, err := pick(s.answers[parts[1]], parts[2])
		if err != nil {
			failed = fmt.Errorf("the answer to %s: %w", parts[1], err)
		}
		return found
	}), failed
}

// play does the steps one after the other.
func (s *session) play(steps []step) error {
	for _, step := range steps {
		text, err := s.fill(step.text)
		if err == nil {
			err = s.do(step.verb, text)
		}
		if err != nil {
			return fmt.Errorf("line %d of the script: %w", step.number, err)
		}
	}
	return nil
}

func (s *session) do(verb, text string) error {
	switch verb {
	case ">>":
		return s.send(text)
	case ">":
		m, err := understand(text)
		if err != nil {
			return err
		}
		if err := s.send(text); err != nil || m.id == "" || m.method == "" {
			return err
		}
		return s.await("the answer to "+m.id, func() bool { return s.answers[m.id] != "" })
	case "~~":
		return s.prompt(text)
	case "~":
		before := len(s.heard)
		if err := s.prompt(text); err != nil {
			return err
		}
		return s.await("what the puppet says", func() bool { return len(s.heard) > before })
	case "=", "!":
		method, reply, _ := strings.Cut(text, " ")
		member := map[string]string{"=": "result", "!": "error"}[verb]
		if reply != "nothing" {
			reply = `"` + member + `":` + reply
		}
		s.replies[method] = reply
		return nil
	default:
		return s.wait(text)
	}
}

func (s *session) wait(text string) error {
	method, number, counted := strings.Cut(text, " ")
	if !counted {
		return s.await("the answer to "+text, func() bool { return s.answers[text] != "" })
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	return s.await(text, func() bool { return s.counts[method] >= n })
}
