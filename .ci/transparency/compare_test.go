package transparency

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// run is one session, as the client saw it and, behind a tee, as the server did.
type run struct {
	sent, heard    []string // by the client, until it closed its end
	farewell       []string // heard after that
	received, said []string // by the server
}

// byKey gives each line a key under which it is found in another run: answers
// come in any order and are known by their id, all else is known by its place.
func byKey(lines []string) map[string]string {
	keyed := map[string]string{}
	order := 0
	for _, line := range lines {
		m, err := understand(line)
		switch {
		case err != nil:
			keyed[fmt.Sprintf("no message: %q", shorten(line))] = line
		case m.response:
			key := "the answer to " + m.id
			for keyed[key] != "" {
				key += ", again"
			}
			keyed[key] = line
		default:
			order++
			keyed[fmt.Sprintf("message %d that is no answer", order)] = line
		}
	}
	return keyed
}

// noise is what a server says differently each time: times, random ids. It holds
// the paths of such values by the key of their line.
type noise map[string][]string

// learn compares two runs without a proxy. An error means that the script is no
// measure: the server's messages themselves came and went.
func learn(a, b []string) (noise, error) {
	first, second := byKey(a), byKey(b)
	found := noise{}
	for key, line := range first {
		other, ok := second[key]
		if !ok {
			return nil, fmt.Errorf("only one of two direct runs has %s: %s", key, shorten(line))
		}
		delete(second, key)
		if line == other {
			continue
		}
		x, errX := parse(line)
		y, errY := parse(other)
		if errX != nil || errY != nil {
			return nil, fmt.Errorf("%s is no JSON: %v %v", key, errX, errY)
		}
		var paths []string
		if !unequal(&paths, "", line, x, other, y) {
			return nil, fmt.Errorf("%s is another message each time: %s", key, shorten(line))
		}
		found[key] = paths
	}
	for key, line := range second {
		return nil, fmt.Errorf("only one of two direct runs has %s: %s", key, shorten(line))
	}
	return found, nil
}

// unequal collects the deepest places at which two values differ. It reports
// false when they differ as a whole.
func unequal(paths *[]string, path, a string, x *node, b string, y *node) bool {
	if a[x.from:x.to] == b[y.from:y.to] {
		return true
	}
	if len(x.kids) == 0 || len(x.kids) != len(y.kids) || !slices.Equal(x.names, y.names) {
		return false
	}
	for i := range x.kids {
		at := path + "." + nameOf(x, i)
		if !unequal(paths, at, a, x.kids[i], b, y.kids[i]) {
			*paths = append(*paths, at)
		}
	}
	return true
}

func nameOf(n *node, i int) string {
	if n.names != nil {
		return strings.Trim(n.names[i], `"`)
	}
	return itoa(i)
}

// masked is a line without the values at some paths.
func masked(line string, paths []string) string {
	root, err := parse(line)
	if err != nil || len(paths) == 0 {
		return line
	}
	var cuts []*node
	root.each("", func(path string, n *node) {
		if slices.Contains(paths, path) {
			cuts = append(cuts, n)
		}
	})
	for _, cut := range slices.Backward(cuts) {
		line = line[:cut.from] + `"█"` + line[cut.to:]
	}
	return line
}

func (n *node) each(path string, visit func(path string, n *node)) {
	visit(path, n)
	for i, kid := range n.kids {
		kid.each(path+"."+nameOf(n, i), visit)
	}
}

// differences compares what a client heard without the proxy and with it.
func differences(direct, through []string, known noise) []string {
	var found []string
	want, got := byKey(direct), byKey(through)
	for _, key := range slices.Sorted(maps.Keys(want)) {
		line, ok := got[key]
		if !ok {
			found = append(found, fmt.Sprintf("lost: %s: %s", key, shorten(want[key])))
			continue
		}
		delete(got, key)
		a, b := masked(want[key], known[key]), masked(line, known[key])
		if how := sameButNamed(a, b); how != "" {
			found = append(found, key+": "+how)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		found = append(found, fmt.Sprintf("added: %s: %s", key, shorten(got[key])))
	}
	return found
}

// changed says how two lines differ, or nothing when they do not: first their
// bytes are compared, then what those mean.
func changed(want, got string) string {
	if want == got {
		return ""
	}
	how := "another value"
	if sameValue(want, got) {
		how = "the same value in other bytes"
	}
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	return fmt.Sprintf("%s, from byte %d on:\n\twant …%s\n\tgot  …%s", how, at, around(want, at), around(got, at))
}

func around(line string, at int) string {
	return fmt.Sprintf("%q", line[max(0, at-60):min(len(line), at+200)])
}
