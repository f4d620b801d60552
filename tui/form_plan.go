package tui

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

// specKind is how a person fills in a field.
type specKind int

const (
	kindJSON    specKind = iota // an editor for JSON: what no other kind can express
	kindText                    // one line, or several
	kindNumber                  // as text, so that no digit is lost
	kindChoice                  // one of some values, each of its own type; a boolean is one
	kindMulti                   // a list of some of the values
	kindList                    // rows of one kind
	kindMap                     // rows with a name
	kindGroup                   // members with names and kinds of their own
	kindVariant                 // one of several fields
)

var kindNames = [...]string{"JSON", "text", "number", "choice", "choices", "list", "map", "group", "variant"}

func (k specKind) String() string { return kindNames[k] }

// spec is what a schema says about one value: the plan of a form. It is made once
// for a schema and holds no value.
type spec struct {
	name, label, about string // label and about are cleaned
	kind               specKind
	required, nullable bool
	secret             bool // masked, and kept out of what is remembered
	deprecated         bool
	preset             *jsonValue // the schema's default
	rules              []string   // JSON pointers into the schema: what judges the value
	why                string     // of kindJSON: what the form cannot express

	format, pattern  string // of text, and format of numbers
	multiline        bool
	integer          bool
	min, max         string // bounds of a number, as written
	openMin, openMax bool   // the bounds themselves are outside
	minLen, maxLen   int    // of text in runes, of lists in items; -1 for none

	choices []choice // of kindChoice and kindMulti
	open    bool     // of kindGroup: other members are allowed

	inside func() []*spec // made when it is first needed: schemas may be recursive
	kids   []*spec
}

type choice struct {
	value *jsonValue
	label string // cleaned
	about string // cleaned
}

// members are the fields of a group, the one field of a row, or the variants.
func (f *spec) members() []*spec {
	if f.inside != nil {
		f.kids, f.inside = f.inside(), nil
	}
	return f.kids
}

// maxPlanDepth bounds how many references a schema is followed through, one inside
// of the other. Deeper values are edited as JSON.
const maxPlanDepth = 8

// planner makes the plan of one schema.
type planner struct{ root *jsonValue }

// planForm makes the plan for a tool's inputSchema or an elicitation's
// requestedSchema. Every schema has one: what is not understood becomes JSON.
func planForm(schema *jsonValue) *spec {
	p := &planner{root: schema}
	f := p.field("", place{p.layers(schema, "", nil), []string{""}}, 0, false)
	f.required, f.nullable = true, false
	if f.kind == kindJSON && (schema == nil || schema.get("type") == nil || schema.getText("type") == "object") {
		// No argument has a name, and yet the value is an object.
		*f = spec{kind: kindGroup, required: true, open: f.open, rules: f.rules}
	}
	return f
}

// place is where a schema stands: the layers that hold at once, and what judges it.
type place struct {
	layers layers
	rules  []string
}

// layer is one schema object that applies to a value: the schema itself, what its
// $ref leads to, and each of its allOf.
type layer struct {
	schema *jsonValue
	at     string // JSON pointer in the root
}

// layers are the schema objects that hold for a value at once. A keyword is taken
// from the first that has it.
type layers []layer

// layers puts a schema, its $ref and its allOf beside each other. following are
// the references on the way here: one that leads to itself ends.
func (p *planner) layers(s *jsonValue, at string, following []string) layers {
	if s == nil || s.kind != '{' {
		return nil
	}
	all := layers{{s, at}}
	if ref := s.getText("$ref"); ref != "" && !slices.Contains(following, ref) {
		target, where := p.resolve(ref)
		all = append(all, p.layers(target, where, append(slices.Clone(following), ref))...)
	}
	if list := s.get("allOf"); list != nil {
		for i, one := range list.items {
			all = append(all, p.layers(one, fmt.Sprintf("%s/allOf/%d", at, i), following)...)
		}
	}
	return all
}

// resolve finds what a $ref means: a JSON pointer, or an $anchor.
func (p *planner) resolve(ref string) (target *jsonValue, at string) {
	ref = strings.TrimPrefix(ref, p.root.getText("$id"))
	fragment, local := strings.CutPrefix(ref, "#")
	if !local {
		return nil, ""
	}
	if fragment != "" && fragment[0] != '/' {
		return findAnchor(p.root, "", fragment)
	}
	target = p.root
	for _, token := range pointerTokens(fragment) {
		if target = child(target, token); target == nil {
			return nil, ""
		}
	}
	return target, fragment
}

func (p *planner) field(name string, s place, depth int, secret bool) *spec {
	f := &spec{name: name, rules: s.rules, minLen: -1, maxLen: -1}
	f.label = broker.CleanLine(name)
	if title := s.layers.text("title"); title != "" && name == "" {
		f.label = broker.CleanLine(title)
	}
	f.about = broker.CleanText(strings.TrimSpace(s.layers.text("description")))
	f.preset = s.layers.keyword("default")
	f.deprecated = s.layers.yes("deprecated")
	f.format = s.layers.text("format")
	f.secret = secret || s.layers.yes("writeOnly") || f.format == "password" || secretName(name)
	p.classify(f, s, depth)
	return f
}

// classify finds the kind of a field.
func (p *planner) classify(f *spec, s place, depth int) {
	if s.layers.keyword("$ref") != nil {
		depth++ // without one, a schema has an end
	}
	if depth > maxPlanDepth {
		f.why = fmt.Sprintf("nested deeper than %d references", maxPlanDepth)
		return
	}
	types, nullable := s.layers.types()
	f.nullable = f.nullable || nullable
	if constant := s.layers.keyword("const"); constant != nil {
		f.choose([]choice{{value: constant}})
		return
	}
	if enum := s.layers.keyword("enum"); enum != nil && len(enum.items) > 0 {
		f.choose(enumChoices(s.layers, enum))
		return
	}
	if p.union(f, s, depth) {
		return
	}
	if len(types) > 1 {
		p.byType(f, s, types, depth)
		return
	}
	if len(types) == 0 {
		types = []string{s.layers.impliedType()}
	}
	switch types[0] {
	case "string":
		f.kind = kindText
		textRules(f, s.layers)
	case "number", "integer":
		f.kind = kindNumber
		f.integer = types[0] == "integer"
		numberRules(f, s.layers)
	case "boolean":
		f.kind = kindChoice
		f.choices = []choice{{value: jsonTrue, label: "yes"}, {value: jsonFalse, label: "no"}}
	case "array":
		p.array(f, s, depth)
	case "object":
		p.object(f, s, depth)
	case "null":
		f.kind, f.choices, f.nullable = kindChoice, []choice{{value: jsonNull, label: "null"}}, false
	default:
		f.why = "any value is allowed"
	}
}

// choose makes the field a choice. null among the values is a state of its own.
func (f *spec) choose(all []choice) {
	f.kind = kindChoice
	for _, c := range all {
		if c.value.kind == 'n' && len(all) > 1 {
			f.nullable = true
			continue
		}
		if c.label == "" {
			c.label = choiceLabel(c.value)
		}
		f.choices = append(f.choices, c)
	}
}

func choiceLabel(v *jsonValue) string {
	switch {
	case v.kind == '"' && strings.TrimSpace(v.text) != "":
		return broker.CleanLine(v.text)
	case v.kind == 't':
		return "yes"
	case v.kind == 'f':
		return "no"
	}
	return v.compact()
}

// enumChoices are the values of an enum, with the names that some schemas give
// them in a list beside it.
func enumChoices(ls layers, enum *jsonValue) []choice {
	names := ls.keyword("enumNames")
	all := make([]choice, len(enum.items))
	for i, value := range enum.items {
		all[i].value = value
		if names != nil && len(names.items) == len(enum.items) && names.items[i].kind == '"' {
			all[i].label = broker.CleanLine(names.items[i].text)
		}
	}
	return all
}

func (p *planner) array(f *spec, s place, depth int) {
	f.minLen, f.maxLen = s.layers.count("minItems"), s.layers.count("maxItems")
	if s.layers.keyword("prefixItems") != nil {
		f.why = "each item has a schema of its own"
		return
	}
	items := p.under(s.layers, "items")
	if len(items.layers) == 0 {
		f.why = "a list of anything"
		return
	}
	item := p.field("", items, depth, f.secret)
	if item.kind == kindChoice && !item.nullable && len(item.choices) > 1 && !isBoolean(item) {
		f.kind, f.choices = kindMulti, item.choices
		return
	}
	item.label = "item"
	f.kind, f.kids = kindList, []*spec{item}
}

func isBoolean(f *spec) bool {
	return f.kind == kindChoice && len(f.choices) == 2 && f.choices[0].value == jsonTrue
}

func (p *planner) object(f *spec, s place, depth int) {
	names := s.layers.propertyNames()
	rest := s.layers.keyword("additionalProperties")
	f.open = rest == nil || rest.kind != 'f'
	if len(names) > 0 {
		f.kind = kindGroup
		required := s.layers.requiredNames()
		f.inside = func() []*spec {
			kids := make([]*spec, 0, len(names))
			for _, name := range names {
				kid := p.field(name, p.under(s.layers, "properties", name), depth, f.secret)
				kid.required = slices.Contains(required, name)
				kids = append(kids, kid)
			}
			return kids
		}
		return
	}
	switch values := p.mapValues(s.layers); {
	case len(values.layers) > 0:
		f.kind = kindMap
		f.minLen, f.maxLen = s.layers.count("minProperties"), s.layers.count("maxProperties")
		f.inside = func() []*spec { return []*spec{p.field("", values, depth, f.secret)} }
	case !f.open:
		f.kind = kindGroup
	default:
		f.why = "an object with members of any name"
	}
}

// mapValues is the schema of an object's values, where names are free.
func (p *planner) mapValues(ls layers) place {
	if rest := p.under(ls, "additionalProperties"); len(rest.layers) > 0 && len(rest.layers[0].schema.members) > 0 {
		return rest
	}
	if patterns := ls.keyword("patternProperties"); patterns != nil && len(patterns.members) == 1 {
		return p.under(ls, "patternProperties", patterns.members[0].name)
	}
	return place{}
}

// under is the place below some members of a place, taken from all of its layers.
func (p *planner) under(ls layers, path ...string) place {
	var below place
	for _, l := range ls {
		s, at := l.schema, l.at
		for _, name := range path {
			s, at = s.get(name), at+"/"+pointerToken(name)
		}
		if s == nil {
			continue
		}
		below.rules = append(below.rules, at)
		below.layers = append(below.layers, p.layers(s, at, nil)...)
	}
	return below
}

var (
	secretWords = regexp.MustCompile(`(^|_)(token|secret|password|passwd|passphrase|credentials?|api_?key|access_?key|private_?key|secret_?key|client_?secret|authorization)$`)
	cursorWords = regexp.MustCompile(`(page|next|continuation|sync|cursor|start)_token$`)
	wordEdge    = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

// secretName reports whether a name says that its value is a secret, and not the
// mark of a page.
func secretName(name string) bool {
	name = strings.ToLower(wordEdge.ReplaceAllString(strings.ReplaceAll(name, "-", "_"), "${1}_$2"))
	return secretWords.MatchString(name) && !cursorWords.MatchString(name)
}
