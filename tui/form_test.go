package tui

import (
	"strings"
	"testing"
)

func mustParse(t testing.TB, text string) *jsonValue {
	t.Helper()
	v, err := parseJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// shape writes a plan in a few words: "name* text; limit number".
func shape(f *spec, depth int) string {
	word := f.kind.String()
	if f.kind == kindNumber && f.integer {
		word = "integer"
	}
	if f.nullable {
		word += "?"
	}
	if f.secret {
		word += "!"
	}
	if f.kind == kindChoice || f.kind == kindMulti {
		var labels []string
		for _, c := range f.choices {
			labels = append(labels, c.value.compact())
		}
		word += "<" + strings.Join(labels, ",") + ">"
	}
	if depth == 0 {
		return word
	}
	var kids []string
	for _, kid := range f.members() {
		name := kid.name
		if name == "" {
			name = kid.label
		}
		if kid.required && f.kind == kindGroup {
			name += "*"
		}
		kids = append(kids, strings.TrimSpace(name+" "+shape(kid, depth-1)))
	}
	if len(kids) > 0 {
		word += "(" + strings.Join(kids, "; ") + ")"
	}
	return word
}

func TestPlan(t *testing.T) {
	for _, test := range []struct{ name, schema, want string }{
		{"scalars", `{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"b":{"type":"integer"},"c":{"type":"number"},"d":{"type":"boolean"}}}`,
			"group(a* text; b integer; c number; d choice<true,false>)"},
		{"no arguments", `{"type":"object"}`, "group"},
		{"no arguments, closed", `{"type":"object","properties":{},"additionalProperties":false}`, "group"},
		{"true", `true`, "group"},
		{"empty", `{}`, "group"},
		{"enum keeps types", `{"properties":{"a":{"enum":[1,"1",true,null]}}}`, `group(a choice?<1,"1",true>)`},
		{"const", `{"properties":{"a":{"const":"x"}}}`, `group(a choice<"x">)`},
		{"nullable by type", `{"properties":{"a":{"type":["string","null"]}}}`, "group(a text?)"},
		{"nullable by anyOf", `{"properties":{"a":{"anyOf":[{"type":"integer"},{"type":"null"}]}}}`, "group(a integer?)"},
		{"nullable by OpenAPI", `{"properties":{"a":{"type":"string","nullable":true}}}`, "group(a text?)"},
		{"two types", `{"properties":{"a":{"type":["string","number"]}}}`, "group(a variant(text text; number number))"},
		{"titled constants", `{"properties":{"a":{"oneOf":[{"const":1,"title":"one"},{"const":2,"title":"two"}]}}}`, "group(a choice<1,2>)"},
		{"multi enum", `{"properties":{"a":{"type":"array","items":{"enum":["x","y"]}}}}`, `group(a choices<"x","y">)`},
		{"list", `{"properties":{"a":{"type":"array","items":{"type":"string"}}}}`, "group(a list(item text))"},
		{"list of yes and no", `{"properties":{"a":{"type":"array","items":{"type":"boolean"}}}}`, "group(a list(item choice<true,false>))"},
		{"list of anything", `{"properties":{"a":{"type":"array"}}}`, "group(a JSON)"},
		{"tuple", `{"properties":{"a":{"type":"array","prefixItems":[{"type":"string"}]}}}`, "group(a JSON)"},
		{"list of groups", `{"properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{"type":"string"}}}}}}`, "group(a list(item group(b text)))"},
		{"map", `{"properties":{"a":{"type":"object","additionalProperties":{"type":"string"}}}}`, "group(a map(text))"},
		{"pattern map", `{"properties":{"a":{"type":"object","patternProperties":{"^x":{"type":"number"}}}}}`, "group(a map(number))"},
		{"free object", `{"properties":{"a":{"type":"object"}}}`, "group(a JSON)"},
		{"free value", `{"properties":{"a":{}}}`, "group(a JSON)"},
		{"refs", `{"$defs":{"t":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/t"},"b":{"$ref":"#/properties/a"}}}`, "group(a text; b text)"},
		{"anchor", `{"$defs":{"t":{"$anchor":"here","type":"string"}},"properties":{"a":{"$ref":"#here"}}}`, "group(a text)"},
		{"ref to itself", `{"properties":{"a":{"$ref":"#/properties/a"}}}`, "group(a JSON)"},
		{"ref to itself by a union", `{"properties":{"a":{"anyOf":[{"$ref":"#/properties/a"},{"type":"null"}]}}}`, "group(a JSON?)"},
		{"ref to elsewhere", `{"properties":{"a":{"$ref":"https://example.com/x"}}}`, "group(a JSON)"},
		{"allOf", `{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"number"}}}]}`, "group(a* text; b number)"},
		{"discriminated", `{"properties":{"a":{"oneOf":[{"type":"object","properties":{"kind":{"const":"cat"}}},{"type":"object","properties":{"kind":{"const":"dog"}}}]}}}`,
			`group(a variant(cat group(kind choice<"cat">); dog group(kind choice<"dog">)))`},
		{"required alternatives only restrict", `{"properties":{"a":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}`, "group(a text)"},
		{"variant with shared members", `{"type":"object","properties":{"id":{"type":"string"}},"oneOf":[{"title":"A","properties":{"x":{"type":"string"}}},{"title":"B","properties":{"y":{"type":"string"}}}]}`,
			"variant(A group(x text; id text); B group(y text; id text))"},
		{"secrets", `{"properties":{"apiKey":{"type":"string"},"page_token":{"type":"string"},"maxTokens":{"type":"integer"},"p":{"type":"string","format":"password"},"w":{"type":"string","writeOnly":true}}}`,
			"group(apiKey text!; page_token text; maxTokens integer; p text!; w text!)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := shape(planForm(mustParse(t, test.schema)), 3); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestPlanOfRecursiveSchema(t *testing.T) {
	f := planForm(mustParse(t, `{"$defs":{"node":{"type":"object","properties":{"next":{"$ref":"#/$defs/node"},"kids":{"type":"array","items":{"$ref":"#/$defs/node"}}}}},"properties":{"n":{"$ref":"#/$defs/node"}}}`))
	depth := 0
	for f.kind == kindGroup {
		f = f.members()[0]
		depth++
	}
	if f.kind != kindJSON || depth != maxPlanDepth+1 || !strings.Contains(f.why, "deeper") {
		t.Errorf("after %d groups: %s, %q", depth, f.kind, f.why)
	}
}

// Whatever the schema, a value that is loaded goes out as it came in.
func FuzzFormRoundTrip(f *testing.F) {
	for _, schema := range roundTripSchemas {
		for _, value := range []string{`{}`, `{"a":null}`, `{"a":""}`, `{"a":"x","z":[1.0,1e400,123456789012345678901234567890]}`, `{"z":1,"a":{"kind":"dog","more":true}}`,
			`{"a":[{"b":1},{"b":"\u200b\t"},{}]}`, `{"a":{"k":"v","~/":"w"},"b":{"a":{"b":{}}}}`, `[]`, `"x"`, `{"a":[1,1,"y"],"c":false}`} {
			f.Add(schema, value)
		}
	}
	f.Fuzz(func(t *testing.T, schema, value string) {
		s, err := parseJSON([]byte(schema))
		if err != nil {
			return
		}
		v, err := parseJSON([]byte(value))
		if err != nil {
			return
		}
		n := newNode(planForm(s), nil)
		n.fill(v)
		out := n.emit("").value
		if !out.equal(v) {
			t.Fatalf("schema %s\nin  %s\nout %s", schema, v.compact(), out.compact())
		}
		again, err := parseJSON([]byte(out.compact()))
		if err != nil || !again.equal(v) {
			t.Fatalf("%s does not parse to the same: %v", out.compact(), err)
		}
		if indented, err := parseJSON([]byte(out.indented())); err != nil || !indented.equal(v) {
			t.Fatalf("%s does not parse to the same: %v", out.indented(), err)
		}
	})
}

var roundTripSchemas = []string{
	`{}`, `true`,
	`{"type":"object","required":["a"],"properties":{"a":{"type":"string","default":"d"},"b":{"type":["integer","null"]},"c":{"type":"boolean"}}}`,
	`{"properties":{"a":{"anyOf":[{"type":"object","properties":{"kind":{"const":"cat"}},"required":["kind"]},{"type":"object","properties":{"kind":{"const":"dog"},"age":{"type":"number"}}},{"type":"array","items":{"type":"number"}},{"type":"null"}]}}}`,
	`{"properties":{"a":{"type":"array","items":{"type":"object","required":["b"],"properties":{"b":{"enum":[1,"1",null]},"c":{"const":1}}}},"b":{"$ref":"#"}}}`,
	`{"properties":{"a":{"type":"object","additionalProperties":{"type":"string"}},"c":{"enum":[true]}},"required":["a","c"]}`,
	`{"properties":{"a":{"type":"array","items":{"enum":[1,2,"y"]}},"b":{"allOf":[{"type":"object","properties":{"a":{"type":"number"}}},{"properties":{"b":{}}}]}}}`,
}

// An untouched form sends nothing but what has to be there.
func TestUntouchedForm(t *testing.T) {
	for _, test := range []struct{ schema, want string }{
		{`{"properties":{"a":{"type":"string"},"b":{"type":"boolean","default":true}}}`, `{}`},
		{`{"required":["a"],"properties":{"a":{"type":"string"}}}`, `{}`},
		{`{"required":["a","g"],"properties":{"a":{"const":"x"},"g":{"type":"object","properties":{"b":{"type":"string"}}},"o":{"type":"object","required":["k"],"properties":{"k":{"const":1}}}}}`, `{"a":"x","g":{}}`},
		{`{"required":["n"],"properties":{"n":{"type":"integer","default":20}}}`, `{"n":20}`},
	} {
		if got := newNode(planForm(mustParse(t, test.schema)), nil).emit("").value.compact(); got != test.want {
			t.Errorf("%s: got %s, want %s", test.schema, got, test.want)
		}
	}
}

func TestProblems(t *testing.T) {
	const schema = `{"type":"object","required":["name","created"],"additionalProperties":false,"properties":{
		"name":{"type":"string","minLength":2,"pattern":"^[a-z]+$"},
		"created":{"type":"object","required":["from"],"properties":{"from":{"type":"string","format":"date"},"to":{"type":"string","format":"date"}}},
		"limit":{"type":"integer","minimum":1,"maximum":100},
		"tags":{"type":"array","uniqueItems":true,"maxItems":2,"items":{"type":"string"}},
		"look":{"type":"string","pattern":"(?=x)"},
		"pet":{"oneOf":[{"title":"cat","type":"object","required":["lives"],"properties":{"lives":{"type":"integer"}}},{"title":"dog","type":"object","required":["owner"],"properties":{"owner":{"$ref":"#/$defs/mail"}}}]}
	},"$defs":{"mail":{"type":"string","format":"email"}}}`
	root := mustParse(t, schema)
	v := newValidator(root)
	if v.schema == nil || !strings.Contains(v.note, "(?=x)") {
		t.Fatalf("the validator does not work: %+v", v)
	}
	for _, test := range []struct{ value, want string }{
		{`{"name":"ab","created":{"from":"2026-01-01"}}`, ""},
		{`{}`, "/name: required; /created: required"},
		{`{"name":"A","created":{}}`, "/name: at least 2 characters; /created/from: required"},
		{`{"name":"AB","created":{"from":"1.1.2026"}}`, "/name: does not match ^[a-z]+$; /created/from: use YYYY-MM-DD"},
		{`{"name":"ab","created":{"from":"2026-01-01"},"limit":101}`, "/limit: 1 to 100"},
		{`{"name":"ab","created":{"from":"2026-01-01"},"limit":1.5}`, "/limit: not a whole number"},
		{`{"name":"ab","created":{"from":"2026-01-01"},"limit":"7"}`, "/limit: the wrong kind of value: whole number, 1 to 100 is wanted"},
		{`{"name":"ab","created":{"from":"2026-01-01"},"tags":["a","a"]}`, "/tags: an item stands twice"},
		{`{"name":"ab","created":{"from":"2026-01-01"},"tags":["a","b","c"]}`, "/tags: at most 2"},
		{`{"name":"ab","created":{"from":"2026-01-01"},"tags":["a",2]}`, "/tags/1: the wrong kind of value: text is wanted"},
		{`{"name":"ab","created":{"from":"2026-01-01"},"pet":{"owner":"x"}}`, "/pet/owner: not an email address"},
		{`{"name":"ab","created":{"from":"2026-01-01"},"more":1}`, `: unexpected additional properties ["more"]`},
	} {
		n := newNode(planForm(root), nil)
		n.fill(mustParse(t, test.value))
		var found []string
		for _, p := range v.check(n.emit("")) {
			found = append(found, p.at+": "+p.text)
		}
		if got := strings.Join(found, "; "); got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.value, got, test.want)
		}
	}
}
