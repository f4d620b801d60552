package tui

import (
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

func (ls layers) propertyNames() []string {
	var names []string
	for _, l := range ls {
		if properties := l.schema.get("properties"); properties != nil {
			for _, m := range properties.members {
				if !slices.Contains(names, m.name) {
					names = append(names, m.name)
				}
			}
		}
	}
	return names
}

func (ls layers) requiredNames() []string {
	var names []string
	for _, l := range ls {
		if required := l.schema.get("required"); required != nil {
			for _, item := range required.items {
				names = append(names, item.text)
			}
		}
	}
	return names
}

// count is a keyword that counts, or -1.
func (ls layers) count(name string) int {
	value := ls.keyword(name)
	if value == nil || value.kind != '0' {
		return -1
	}
	n, err := strconv.ParseFloat(value.text, 64)
	if err != nil || n < 0 || n > math.MaxInt32 {
		return -1
	}
	return int(n)
}

func (ls layers) number(name string) string {
	if value := ls.keyword(name); value != nil && value.kind == '0' {
		return value.text
	}
	return ""
}

// longText are names of texts that want more than a line.
var longText = regexp.MustCompile(`(?i)^(body|contents?|markdown|code|script|html|function|thought|new_?(str|text)|old_?(str|text)|.*_(body|content|markdown))$`)

func textRules(f *spec, ls layers) {
	f.pattern = ls.text("pattern")
	f.minLen, f.maxLen = ls.count("minLength"), ls.count("maxLength")
	media := ls.text("contentMediaType")
	f.multiline = f.format == "" && f.pattern == "" && (longText.MatchString(f.name) || f.maxLen > 400) || strings.HasPrefix(media, "text/") || f.format == "json"
}

// numberRules takes the bounds over. Draft 4 had a boolean exclusiveMinimum beside
// minimum; since draft 6 it is a bound.
func numberRules(f *spec, ls layers) {
	f.min, f.max = ls.number("minimum"), ls.number("maximum")
	f.openMin, f.openMax = ls.yes("exclusiveMinimum"), ls.yes("exclusiveMaximum")
	if open := ls.number("exclusiveMinimum"); open != "" && (f.min == "" || numberOf(open) >= numberOf(f.min)) {
		f.min, f.openMin = open, true
	}
	if open := ls.number("exclusiveMaximum"); open != "" && (f.max == "" || numberOf(open) <= numberOf(f.max)) {
		f.max, f.openMax = open, true
	}
}

// numberOf is a number near enough to compare bounds.
func numberOf(literal string) float64 {
	n, _ := strconv.ParseFloat(literal, 64)
	return n
}

// pointerToken is a name as a JSON pointer spells it.
func pointerToken(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// pointerTokens are the names of a JSON pointer that is the fragment of a URI.
func pointerTokens(fragment string) []string {
	if fragment == "" {
		return nil
	}
	tokens := strings.Split(strings.TrimPrefix(fragment, "/"), "/")
	for i, token := range tokens {
		if plain, err := url.PathUnescape(token); err == nil {
			token = plain
		}
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return tokens
}

// child is the member or item that a token of a JSON pointer means, or nil.
func child(v *jsonValue, token string) *jsonValue {
	if v.kind == '[' {
		i, err := strconv.Atoi(token)
		if err != nil || i < 0 || i >= len(v.items) {
			return nil
		}
		return v.items[i]
	}
	return v.get(token)
}

// findAnchor looks for the schema with an $anchor.
func findAnchor(v *jsonValue, at, anchor string) (*jsonValue, string) {
	if v.getText("$anchor") == anchor {
		return v, at
	}
	for _, m := range v.members {
		if found, where := findAnchor(m.value, at+"/"+pointerToken(m.name), anchor); found != nil {
			return found, where
		}
	}
	for i, item := range v.items {
		if found, where := findAnchor(item, at+"/"+strconv.Itoa(i), anchor); found != nil {
			return found, where
		}
	}
	return nil, ""
}

// typeWords says what a field takes, for people: "text, YYYY-MM-DD", "1 to 100".
func (f *spec) typeWords() string {
	words := f.kind.String()
	switch f.kind {
	case kindText:
		if f.format != "" {
			words = broker.CleanLine(f.format)
		}
	case kindNumber:
		if f.integer {
			words = "whole number"
		}
		if bounds := f.bounds(); bounds != "" {
			words += ", " + bounds
		}
	case kindChoice:
		words = choiceWords(f)
	case kindMulti:
		words = "some of " + choiceWords(f)
	case kindList:
		words = "list of " + f.members()[0].typeWords()
	case kindMap:
		words = "map of " + f.members()[0].typeWords()
	case kindVariant:
		var kinds []string
		for _, kid := range f.members() {
			kinds = append(kinds, kid.label)
		}
		words = strings.Join(kinds, " or ")
	}
	if f.nullable {
		words += " or null"
	}
	return words
}

func choiceWords(f *spec) string {
	if isBoolean(f) {
		return "yes or no"
	}
	var labels []string
	for i, c := range f.choices {
		if i == 6 && len(f.choices) > 7 {
			labels = append(labels, "… "+strconv.Itoa(len(f.choices)-i)+" more")
			break
		}
		labels = append(labels, c.label)
	}
	return strings.Join(labels, ", ")
}

// bounds says what a number must lie between, or how long a text or list may be.
func (f *spec) bounds() string {
	low, high := f.min, f.max
	if f.kind != kindNumber {
		low, high = countText(f.minLen), countText(f.maxLen)
	}
	atLeast, atMost := "at least ", "at most "
	if f.openMin {
		atLeast = "more than "
	}
	if f.openMax {
		atMost = "less than "
	}
	switch {
	case low == "" && high == "":
		return ""
	case high == "":
		return atLeast + low
	case low == "":
		return atMost + high
	case low == high:
		return low
	case f.openMin || f.openMax:
		return atLeast + low + ", " + atMost + high
	}
	return low + " to " + high
}

func countText(n int) string {
	if n < 0 {
		return ""
	}
	return strconv.Itoa(n)
}
