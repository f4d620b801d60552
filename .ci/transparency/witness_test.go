package transparency

import (
	"fmt"
	"regexp"
	"strings"
)

// altered compares both ends of one run through the proxy, so that nothing has
// to be masked: what the server said is what the client heard, and what the
// client sent is what the server received.
func altered(r run) []string {
	questions, received := ownQuestions(r.received)
	said := withoutAnswersTo(questions, r.said)
	found := sequence("from the server to the client", said, append(r.heard[:len(r.heard):len(r.heard)], obituariesOff(r.farewell)...), sameButNamed)
	found = append(found, sequence("from the client to the server", r.sent, received, sameButUser)...)
	for id, question := range questions {
		if !strings.HasPrefix(question, `{"jsonrpc":"2.0","id":`+id+`,"method":"tools/list","params":{`) {
			found = append(found, "the proxy asks more than for the tools: "+shorten(question))
		}
	}
	return found
}

// sequence compares line by line and stops at the first that is lost or added,
// as all later ones are out of step.
func sequence(direction string, want, got []string, compare func(want, got string) string) []string {
	var found []string
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			return append(found, fmt.Sprintf("%s: lost line %d: %s", direction, i+1, shorten(want[i])))
		case i >= len(want):
			return append(found, fmt.Sprintf("%s: added line %d: %s", direction, i+1, shorten(got[i])))
		}
		if how := compare(want[i], got[i]); how != "" {
			found = append(found, fmt.Sprintf("%s: line %d: %s", direction, i+1, how))
			if len(want) != len(got) {
				return append(found, fmt.Sprintf("%s: %d lines instead of %d", direction, len(got), len(want)))
			}
		}
	}
	return found
}

// ownQuestions takes out what the proxy itself asks: which tools declare the
// user (design, section 4).
func ownQuestions(received []string) (byID map[string]string, rest []string) {
	byID = map[string]string{}
	for _, line := range received {
		if m, err := understand(line); err == nil && strings.HasPrefix(m.id, `"mcpauth:`) {
			byID[m.id] = line
		} else {
			rest = append(rest, line)
		}
	}
	return byID, rest
}

func withoutAnswersTo(questions map[string]string, said []string) []string {
	if len(questions) == 0 {
		return said
	}
	var rest []string
	for _, line := range said {
		if m, err := understand(line); err != nil || !m.response || questions[m.id] == "" {
			rest = append(rest, line)
		}
	}
	return rest
}

// obituariesOff leaves out the proxy's answers to what the server never
// answered, which come when the session is over (threats.md 3.1).
func obituariesOff(farewell []string) []string {
	var rest []string
	for _, line := range farewell {
		if code, err := pick(line, "error.code"); err != nil || code != "4502" {
			rest = append(rest, line)
		}
	}
	return rest
}

// userMember is the verified context of Ada as the proxy writes it.
var userMember = regexp.MustCompile(`"(io\.github\.mcpauth/user|_oauth_user)":\{"sub":"ada","user_id":"ada","email":"ada@example\.com",[^{}]*"profile":"t[0-9]+"\}`)

// carriers are the requests that get the user.
var carriers = map[string]bool{"tools/call": true, "resources/read": true, "prompts/get": true}

// sameButUser: the server received the line that was sent, with nothing more in
// it than the user, and with the user where one belongs.
func sameButUser(sent, received string) string {
	m, err := understand(sent)
	if err != nil || m.id == "" || !carriers[m.method] {
		return changed(sent, received)
	}
	rest := received
	found := map[string]bool{}
	for at := userMember.FindStringSubmatchIndex(rest); at != nil; at = userMember.FindStringSubmatchIndex(rest) {
		found[rest[at[2]:at[3]]] = true
		rest = cutMember(rest, at[0], at[1])
	}
	if !found["io.github.mcpauth/user"] {
		return "the user is missing: " + shorten(received)
	}
	if rest == sent {
		return ""
	}
	// The _meta and arguments that held nothing but the user are the proxy's, too.
	for _, own := range []string{`"_meta":{}`, `"arguments":{}`} {
		if at := strings.Index(rest, own); at >= 0 && !strings.Contains(sent, own) {
			rest = cutMember(rest, at, at+len(own))
		}
	}
	return changed(sent, rest)
}

// cutMember takes a member out of an object, with the comma behind it.
func cutMember(line string, from, to int) string {
	if strings.HasPrefix(line[to:], ",") {
		to++
	}
	return line[:from] + line[to:]
}

// sameButNamed: the client hears the line that was said. The design names two
// exceptions: the argument that mcpauth fills in is hidden from the model
// (section 4), and the lists may change, as somebody may sign in (section 6).
func sameButNamed(said, heard string) string {
	if said == heard {
		return ""
	}
	if strings.Contains(said, `"inputSchema"`) && strings.Contains(said, `"_oauth_user"`) {
		return changed(hiddenArgument.ReplaceAllString(said, ""), heard)
	}
	if strings.Contains(said, `"capabilities"`) && strings.Contains(heard, `"listChanged":true`) {
		return changed(offeringChanges(said), heard)
	}
	return changed(said, heard)
}

// hiddenArgument is a property with a flat schema, as the servers here have it.
var hiddenArgument = regexp.MustCompile(`"_oauth_user": ?\{[^{}]*\}(, ?)?`)

// emptyList is a list that does not say whether it changes.
var emptyList = regexp.MustCompile(`("(?:tools|prompts|resources)": ?\{)(\}|"subscribe")`)

var unchanging = regexp.MustCompile(`"listChanged": ?false`)

// offeringChanges is a line in which all lists of the capabilities may change.
func offeringChanges(said string) string {
	said = unchanging.ReplaceAllStringFunc(said, func(member string) string {
		return strings.TrimSuffix(member, "false") + "true"
	})
	return emptyList.ReplaceAllStringFunc(said, func(list string) string {
		head, rest, _ := strings.Cut(list, "{")
		if rest != "}" {
			rest = "," + rest
		}
		return head + `{"listChanged":true` + rest
	})
}
