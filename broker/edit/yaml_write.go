package edit

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// yamlLines spells an object in block style.
func yamlLines(object Object, indent int) []string {
	var lines []string
	space := strings.Repeat(" ", indent)
	for _, m := range object {
		key := space + yamlScalar(m.Name) + ":"
		switch v := m.Value.(type) {
		case Object:
			lines = append(append(lines, key), yamlLines(v, indent+yamlUnit)...)
		case []string:
			if len(v) == 0 {
				lines = append(lines, key+" []")
				continue
			}
			lines = append(append(lines, key), yamlItems(v, indent+yamlUnit)...)
		default:
			lines = append(lines, key+" "+yamlFlow(v))
		}
	}
	return lines
}

func yamlItems(list []string, indent int) []string {
	if len(list) == 0 {
		return []string{strings.Repeat(" ", indent) + "[]"}
	}
	lines := make([]string, len(list))
	for i, item := range list {
		lines[i] = strings.Repeat(" ", indent) + "- " + yamlScalar(item)
	}
	return lines
}

// yamlFlow spells a value on one line.
func yamlFlow(value any) string {
	switch v := value.(type) {
	case Object:
		members := make([]string, len(v))
		for i, m := range v {
			members[i] = yamlScalar(m.Name) + ": " + yamlFlow(m.Value)
		}
		return "{" + strings.Join(members, ", ") + "}"
	case []string:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = yamlScalar(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		return yamlScalar(v)
	}
	return fmt.Sprint(value)
}

var (
	yamlPlain = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./-]*$`) })
	yamlWord  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null)$`) })
)

// yamlScalar is a text, in quotes where a reader of YAML 1.1 or 1.2 could take
// it for something else. JSON's strings are YAML's.
func yamlScalar(text string) string {
	if yamlPlain().MatchString(text) && !yamlWord().MatchString(text) {
		return text
	}
	return strings.ReplaceAll(jsonText(text), "\x7f", `\u007F`)
}
