package toolargs

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is how a field is filled in.
type Kind int

const (
	JSON    Kind = iota // as JSON: what no other kind can express
	Text                // a string of one line, or several
	Scalar              // a word: a number, or one of several scalar types
	Choice              // one of some values, each of its own type; a boolean is one
	Choices             // a list of some of the values
	List                // rows of one kind
	Group               // members with names and kinds of their own
)

var kindNames = [...]string{"JSON", "text", "scalar", "choice", "choices", "list", "group"}

func (k Kind) String() string { return kindNames[k] }

// Field is what a schema says about one value to fill in. It holds no
// value. Its texts are the server's.
type Field struct {
	Name, Label, About string
	Kind               Kind
	Type               string // in words, as "integer 1 to 100"
	Required, Nullable bool
	Secret             bool // to be masked, and kept out of what is remembered
	Deprecated         bool
	Multiline          bool   // of Text
	Why                string // of JSON: what no other kind can express
	Default            *Value // the schema's; nil for none
	Choices            []Option
	MaxItems           int  // of List; -1 for any number
	Open               bool // of Group: other members are allowed

	schema *Schema
	place  place
	inside func() []*Field // made when it is first needed: schemas may be recursive
	kids   []*Field
}

// Option is one value of a choice.
type Option struct {
	Value        *Value
	Label, About string
}

// Fields are the members of a group, or the one field of a list's rows.
func (f *Field) Fields() []*Field {
	if f.inside != nil {
		f.kids, f.inside = f.inside(), nil
	}
	return f.kids
}

// Field is the member of a group with this name, or nil.
func (f *Field) Field(name string) *Field {
	if i := slices.IndexFunc(f.Fields(), func(kid *Field) bool { return kid.Name == name }); i >= 0 {
		return f.kids[i]
	}
	return nil
}

// Boolean reports whether it is true or false.
func (f *Field) Boolean() bool {
	return f.Kind == Choice && len(f.Choices) == 2 && f.Choices[0].Value == True
}

// Root is the field of the whole value. Arguments are an object, so it is a group
// for every schema that has a name to fill in or is an object.
func (s *Schema) Root() *Field {
	p := s.merged(s.place(s.root))
	f := s.field("", p, 0, false)
	f.Required, f.Nullable = true, false
	if types, _ := p.types(); f.Kind == JSON && (len(types) == 0 || slices.Equal(types, []string{"object"})) {
		// No argument has a name, and yet the value is an object.
		f.Kind, f.inside, f.kids, f.Why = Group, nil, nil, ""
	}
	return f
}

// merged makes one object of alternatives that are objects: arguments need fields,
// and which of them go together is for [Schema.Check]. A member of several
// alternatives may be what any of them says.
func (s *Schema) merged(p place) place {
	branches, base, _ := s.union(p)
	if len(branches) == 0 || slices.ContainsFunc(branches, func(b place) bool { return len(b.propertyNames()) == 0 }) {
		return p
	}
	properties := Object()
	required := branches[0].requiredNames()
	for _, b := range branches {
		for _, name := range b.propertyNames() {
			schemas := []*Value{}
			for _, other := range branches {
				if one := s.property(other, name); one != nil {
					schemas = append(schemas, one)
				}
			}
			one := schemas[0]
			if len(schemas) > 1 {
				one = Object(Member{"anyOf", &Value{Kind: '[', Items: schemas}})
			}
			properties = properties.with(name, one)
		}
		theirs := b.requiredNames()
		required = slices.DeleteFunc(required, func(name string) bool { return !slices.Contains(theirs, name) })
	}
	names := &Value{Kind: '['}
	for _, name := range required {
		names.Items = append(names.Items, String(name))
	}
	return append(base, Object(Member{"type", String("object")}, Member{"properties", properties}, Member{"required", names}))
}

// property is the schema of a member as it stands in the first schema that has one.
func (s *Schema) property(p place, name string) *Value {
	for _, schema := range p {
		if found := schema.Get("properties").Get(name); found != nil {
			return found
		}
	}
	return nil
}

func (s *Schema) field(name string, p place, depth int, secret bool) *Field {
	f := &Field{Name: name, Label: name, MaxItems: -1, schema: s, place: p}
	if title := p.text("title"); title != "" && name == "" {
		f.Label = title
	}
	f.About = strings.TrimSpace(p.text("description"))
	f.Default = p.keyword("default")
	f.Deprecated = p.yes("deprecated")
	f.Secret = secret || p.yes("writeOnly") || p.text("format") == "password" || SecretName(name)
	s.classify(f, p, depth)
	f.Type = s.describe(p, 2)
	return f
}

// classify finds the kind of a field.
func (s *Schema) classify(f *Field, p place, depth int) {
	if p.keyword("$ref") != nil {
		depth++ // without one, a schema has an end
	}
	if depth > maxDepth {
		f.Why = fmt.Sprintf("nested deeper than %d references", maxDepth)
		return
	}
	types, nullable := p.types()
	f.Nullable = f.Nullable || nullable
	if values := p.values(); len(values) > 0 {
		f.choose(options(p, values))
		return
	}
	if s.classifyUnion(f, p, depth) {
		return
	}
	switch {
	case len(types) > 1:
		f.Kind = Scalar
		if !slices.ContainsFunc(types, isCompound) {
			return
		}
		f.Kind, f.Why = JSON, "a value of one of several types"
	case len(types) == 0 && nullable:
		f.Kind, f.Choices, f.Nullable = Choice, []Option{{Value: Null, Label: "null"}}, false
	case len(types) == 0:
		f.Why = "any value is allowed"
	case types[0] == "string":
		f.Kind, f.Multiline = Text, p.multiline(f.Name)
	case types[0] == "boolean":
		f.Kind, f.Choices = Choice, []Option{{Value: True, Label: "yes"}, {Value: False, Label: "no"}}
	case types[0] == "array":
		s.array(f, p, depth)
	case types[0] == "object":
		s.object(f, p, depth)
	default:
		f.Kind = Scalar
	}
}

func isCompound(name string) bool { return name == "array" || name == "object" }

// classifyUnion handles oneOf and anyOf. It reports whether they made the field
// what it is.
func (s *Schema) classifyUnion(f *Field, p place, depth int) bool {
	branches, base, nullable := s.union(p)
	f.Nullable = f.Nullable || nullable
	switch {
	case len(branches) == 0 && !nullable:
		return false
	case len(branches) == 0:
		s.classify(f, append(base, Object(Member{"const", Null})), depth)
	case len(branches) == 1: // null was the other one
		f.place = append(slices.Clone(branches[0]), base...)
		s.classify(f, f.place, depth)
		if f.About == "" {
			f.About = branches[0].text("description")
		}
	case constants(branches) != nil:
		f.choose(constants(branches))
	case slices.ContainsFunc(branches, func(b place) bool {
		return !scalar(append(slices.Clone(b), base...))
	}):
		f.Why = "one of several forms"
	default:
		f.Kind = Scalar
	}
	return true
}

// scalar reports whether a value of a place is one word.
func scalar(p place) bool {
	types, _ := p.types()
	return len(p.values()) > 0 || len(types) > 0 && !slices.ContainsFunc(types, isCompound) && p.keyword("anyOf") == nil &&
		p.keyword("oneOf") == nil
}

// constants are the options of a union whose branches all name their values, or nil.
func constants(branches []place) (all []Option) {
	for _, b := range branches {
		values := b.values()
		if len(values) == 0 {
			return nil
		}
		for _, value := range values {
			o := Option{Value: value, About: b.text("description")}
			if b.keyword("const") != nil {
				o.Label = b.text("title")
			}
			all = append(all, o)
		}
	}
	return all
}

// options are the values of an enum, with the names that some schemas give them in
// a list beside it.
func options(p place, values []*Value) []Option {
	names := p.keyword("enumNames")
	all := make([]Option, len(values))
	for i, value := range values {
		all[i].Value = value
		if names != nil && len(names.Items) == len(values) && names.Items[i].Kind == '"' {
			all[i].Label = names.Items[i].Text
		}
	}
	return all
}

// choose makes the field a choice. null among the values makes it nullable.
func (f *Field) choose(all []Option) {
	f.Kind = Choice
	for _, o := range all {
		if o.Value.Kind == 'n' && len(all) > 1 {
			f.Nullable = true
			continue
		}
		if o.Label == "" {
			o.Label = optionLabel(o.Value)
		}
		f.Choices = append(f.Choices, o)
	}
}

func optionLabel(v *Value) string {
	switch {
	case v.Kind == 't':
		return "yes"
	case v.Kind == 'f':
		return "no"
	case v.Kind == '"' && strings.TrimSpace(v.Text) == "":
		return v.Compact()
	}
	return Word(v)
}

func (s *Schema) array(f *Field, p place, depth int) {
	f.MaxItems = p.count("maxItems")
	if p.keyword("prefixItems") != nil {
		f.Why = "each item has a schema of its own"
		return
	}
	items := s.below(p, "items")
	if len(items) == 0 {
		f.Why = "a list of anything"
		return
	}
	item := s.field("", items, depth, f.Secret)
	switch {
	case item.Kind == JSON:
		f.Why = "a list of what has no form"
	case item.Kind == Choice && !item.Nullable && len(item.Choices) > 1 && !item.Boolean():
		f.Kind, f.Choices = Choices, item.Choices
	default:
		item.Label = "item"
		f.Kind, f.kids = List, []*Field{item}
	}
}

func (s *Schema) object(f *Field, p place, depth int) {
	names := p.propertyNames()
	rest := p.keyword("additionalProperties")
	f.Open = rest == nil || rest.Kind != 'f'
	if len(names) == 0 && f.Open {
		f.Why = "an object with members of any name"
		return
	}
	f.Kind = Group
	required, secret := p.requiredNames(), f.Secret
	f.inside = func() []*Field {
		kids := make([]*Field, 0, len(names))
		for _, name := range names {
			kid := s.field(name, s.below(p, "properties", name), depth, secret)
			kid.Required = slices.Contains(required, name)
			kids = append(kids, kid)
		}
		return kids
	}
}
