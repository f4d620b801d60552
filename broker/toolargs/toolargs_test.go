package toolargs

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func mustParse(t testing.TB, text string) *Value {
	t.Helper()
	v, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// shape writes a field in a few words: "name* text; limit scalar".
func shape(f *Field, depth int) string {
	word := f.Kind.String()
	if f.Nullable {
		word += "?"
	}
	if f.Secret {
		word += "!"
	}
	if f.Kind == Choice || f.Kind == Choices {
		var labels []string
		for _, o := range f.Choices {
			labels = append(labels, o.Value.Compact())
		}
		word += "<" + strings.Join(labels, ",") + ">"
	}
	if depth == 0 {
		return word
	}
	var kids []string
	for _, kid := range f.Fields() {
		name := kid.Name
		if name == "" {
			name = kid.Label
		}
		if kid.Required && f.Kind == Group {
			name += "*"
		}
		kids = append(kids, strings.TrimSpace(name+" "+shape(kid, depth-1)))
	}
	if len(kids) > 0 {
		word += "(" + strings.Join(kids, "; ") + ")"
	}
	return word
}

func TestFields(t *testing.T) {
	for _, test := range []struct{ name, schema, want string }{
		{"scalars", `{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"b":{"type":"integer"},"c":{"type":"number"},"d":{"type":"boolean"}}}`,
			"group(a* text; b scalar; c scalar; d choice<true,false>)"},
		{"no arguments", `{"type":"object"}`, "group"},
		{"no arguments, closed", `{"type":"object","properties":{},"additionalProperties":false}`, "group"},
		{"true", `true`, "group"},
		{"empty", `{}`, "group"},
		{"no JSON", `{`, "group"},
		{"enum keeps types", `{"properties":{"a":{"enum":[1,"1",true,null]}}}`, `group(a choice?<1,"1",true>)`},
		{"const", `{"properties":{"a":{"const":"x"}}}`, `group(a choice<"x">)`},
		{"null", `{"properties":{"a":{"type":"null"}}}`, `group(a choice<null>)`},
		{"nullable by type", `{"properties":{"a":{"type":["string","null"]}}}`, "group(a text?)"},
		{"nullable by anyOf", `{"properties":{"a":{"anyOf":[{"type":"integer"},{"type":"null"}]}}}`, "group(a scalar?)"},
		{"nullable by OpenAPI", `{"properties":{"a":{"type":"string","nullable":true}}}`, "group(a text?)"},
		{"two scalar types", `{"properties":{"a":{"type":["string","number"]}}}`, "group(a scalar)"},
		{"a union of scalars", `{"properties":{"a":{"anyOf":[{"type":"integer"},{"enum":["all"]},{"type":"null"}]}}}`, "group(a scalar?)"},
		{"a union of others", `{"properties":{"a":{"type":["string","object"]},"b":{"oneOf":[{"type":"object","properties":{"x":{}}},{"type":"number"}]}}}`, "group(a JSON; b JSON)"},
		{"titled constants", `{"properties":{"a":{"oneOf":[{"const":1,"title":"one"},{"const":2,"title":"two"}]}}}`, "group(a choice<1,2>)"},
		{"multi enum", `{"properties":{"a":{"type":"array","items":{"enum":["x","y"]}}}}`, `group(a choices<"x","y">)`},
		{"list", `{"properties":{"a":{"type":"array","items":{"type":"string"}}}}`, "group(a list(item text))"},
		{"list of yes and no", `{"properties":{"a":{"type":"array","items":{"type":"boolean"}}}}`, "group(a list(item choice<true,false>))"},
		{"list of anything", `{"properties":{"a":{"type":"array"}}}`, "group(a JSON)"},
		{"list of JSON", `{"properties":{"a":{"type":"array","items":{"type":"object","additionalProperties":{"type":"string"}}}}}`, "group(a JSON)"},
		{"tuple", `{"properties":{"a":{"type":"array","prefixItems":[{"type":"string"}]}}}`, "group(a JSON)"},
		{"list of groups", `{"properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{"type":"string"}}}}}}`, "group(a list(item group(b text)))"},
		{"map", `{"properties":{"a":{"type":"object","additionalProperties":{"type":"string"}}}}`, "group(a JSON)"},
		{"free object", `{"properties":{"a":{"type":"object"}}}`, "group(a JSON)"},
		{"free value", `{"properties":{"a":{},"b":true}}`, "group(a JSON; b JSON)"},
		{"no type of JSON Schema", `{"properties":{"a":{"type":"Date"}}}`, "group(a JSON)"},
		{"refs", `{"$defs":{"t":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/t"},"b":{"$ref":"#/properties/a"}}}`, "group(a text; b text)"},
		{"anchor", `{"$defs":{"t":{"$anchor":"here","type":"string"}},"properties":{"a":{"$ref":"#here"}}}`, "group(a text)"},
		{"ref to itself", `{"properties":{"a":{"$ref":"#/properties/a"}}}`, "group(a JSON)"},
		{"ref to itself by a union", `{"properties":{"a":{"anyOf":[{"$ref":"#/properties/a"},{"type":"null"}]}}}`, "group(a JSON?)"},
		{"ref to elsewhere", `{"properties":{"a":{"$ref":"https://example.com/x"}}}`, "group(a JSON)"},
		{"allOf", `{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"number"}}}]}`, "group(a* text; b scalar)"},
		{"required alternatives only restrict", `{"properties":{"a":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}`, "group(a text)"},
		{"alternatives at the top", `{"anyOf":[{"properties":{"url":{"type":"string"},"kind":{"const":"url"}},"required":["url","kind"]},{"properties":{"file":{"type":"string"},"kind":{"const":"file"}},"required":["kind"]}]}`,
			`group(url text; kind* choice<"url","file">; file text)`},
		{"alternatives with shared members", `{"type":"object","properties":{"id":{"type":"string"}},"oneOf":[{"title":"A","properties":{"x":{"type":"string"}}},{"title":"B","properties":{"y":{"type":"string"}}}]}`,
			"group(id text; x text; y text)"},
		{"secrets", `{"properties":{"apiKey":{"type":"string"},"page_token":{"type":"string"},"maxTokens":{"type":"integer"},"p":{"type":"string","format":"password"},"w":{"type":"string","writeOnly":true}}}`,
			"group(apiKey text!; page_token text; maxTokens scalar; p text!; w text!)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := shape(Read([]byte(test.schema)).Root(), 3); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestFieldsOfRecursiveSchema(t *testing.T) {
	f := Read([]byte(`{"$defs":{"node":{"type":"object","properties":{"next":{"$ref":"#/$defs/node"}}}},"properties":{"n":{"$ref":"#/$defs/node"}}}`)).Root()
	depth := 0
	for f.Kind == Group {
		f = f.Fields()[0]
		depth++
	}
	if f.Kind != JSON || depth != maxDepth+1 || !strings.Contains(f.Why, "deeper") {
		t.Errorf("after %d groups: %s, %q", depth, f.Kind, f.Why)
	}
}

func TestTypesInWords(t *testing.T) {
	root := Read([]byte(`{"properties":{
		"a":{"type":"integer","minimum":1,"maximum":100},"b":{"enum":[1,"1",true,null]},"c":{"type":"array","items":{"type":"string","format":"date"}},
		"d":{"anyOf":[{"type":"integer","minimum":1},{"type":"null"}]},"e":{"type":["string","null"]},"f":{},"g":{"type":"null"},"h":{"oneOf":[{"type":"string"},{"type":"object","properties":{}}]}}}`)).Root()
	for name, want := range map[string]string{
		"a": "integer 1 to 100", "b": `1, "1", true, null`, "c": "array of string (date)", "d": "integer from 1 or null",
		"e": "string or null", "f": "any", "g": "null", "h": "string or object",
	} {
		if got := root.Field(name).Type; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestProblems(t *testing.T) {
	const schema = `{"type":"object","required":["name","created"],"additionalProperties":false,"properties":{
		"name":{"type":"string","minLength":2,"pattern":"^[a-z]+$"},
		"created":{"type":"object","required":["from"],"properties":{"from":{"type":"string","format":"date"},"to":{"type":"string","format":"date"}}},
		"limit":{"type":"integer","minimum":1,"maximum":100},
		"few":{"anyOf":[{"type":"integer","minimum":1},{"type":"null"}]},
		"over":{"type":"number","exclusiveMinimum":0,"multipleOf":0.1},"old":{"type":"number","maximum":5,"exclusiveMaximum":true},
		"tags":{"type":"array","uniqueItems":true,"maxItems":2,"items":{"type":"string"}},
		"look":{"type":"string","pattern":"(?=x)"},"when":{"type":"Date"},"how":{"enum":["csv",1,null]},"free":{"type":"object","additionalProperties":{"type":"number"},"dependentRequired":{"a":["b"]}},
		"pet":{"oneOf":[{"title":"cat","type":"object","required":["lives"],"properties":{"lives":{"type":"integer"}}},{"title":"dog","type":"object","required":["owner"],"properties":{"owner":{"$ref":"#/$defs/mail"}}}]},
		"kind":{"anyOf":[{"type":"object","properties":{"is":{"const":"a"},"n":{"type":"integer","minimum":3}},"required":["is"]},{"type":"object","properties":{"is":{"const":"b"}},"required":["is"]}]}
	},"$defs":{"mail":{"type":"string","format":"email"}}}`
	s := Read([]byte(schema))
	if note := s.Note(); note != `not checked: the pattern (?=x), the type "Date"` {
		t.Errorf("the note is %q", note)
	}
	for _, test := range []struct{ members, want string }{
		{``, ""},
		{`"name":"A","created":{}`, "name must have at least 2 characters, not 1; created.from is required"},
		{`"name":"AB"`, `name must match ^[a-z]+$, not "AB"`},
		{`"created":{"from":"1.1.2026"}`, "created.from must be a date like 2026-01-31"},
		{`"limit":500`, "limit must be at most 100, not 500"},
		{`"limit":0`, "limit must be at least 1, not 0"},
		{`"limit":1.5`, "limit must be integer 1 to 100, not 1.5"},
		{`"limit":1.0`, ""},
		{`"limit":"7"`, `limit must be integer 1 to 100, not "7"`},
		{`"few":0`, "few must be at least 1, not 0"},
		{`"few":"x"`, `few must be integer from 1 or null, not "x"`},
		{`"over":0`, "over must be more than 0, not 0"},
		{`"over":0.3`, ""},
		{`"over":0.35`, "over must be a multiple of 0.1, not 0.35"},
		{`"old":5`, "old must be less than 5, not 5"},
		{`"limit":9007199254740993`, "limit must be at most 100, not 9007199254740993"},
		{`"tags":["a","a"]`, "tags must not have the same item twice"},
		{`"tags":["a","b","c"]`, "tags must have at most 2 items, not 3"},
		{`"tags":["a",2]`, "tags[1] must be string, not 2"},
		{`"look":"anything","when":"2026-01-01"`, ""},
		{`"how":"json"`, `how must be one of csv, 1, null, not "json"`},
		{`"free":{"a":"x"}`, `free.a must be number, not "x"; free.b is required where a is given`},
		{`"pet":{"owner":"x"}`, "pet.owner must be an email address"},
		{`"pet":{}`, "pet needs lives or owner"},
		{`"kind":{"is":"a","n":1}`, "kind.n must be at least 3, not 1"},
		{`"more":1`, `more is not known to the tool`},
	} {
		value := mustParse(t, `{"name":"ab","created":{"from":"2026-01-01"}}`)
		if test.members != "" {
			for _, m := range mustParse(t, "{"+test.members+"}").Members {
				value = value.with(m.Name, m.Value)
			}
		}
		var found []string
		for _, p := range s.Check(value) {
			found = append(found, p.Sentence())
		}
		if got := strings.Join(found, "; "); got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.members, got, test.want)
		}
	}
	if found := Read([]byte(`{"anyOf":[{"required":["url"]},{"required":["file"]}]}`)).Check(Object()); len(found) != 1 || found[0].Sentence() != "the whole needs url or file" {
		t.Errorf("alternatives at the top: %v", found)
	}
}

// A schema is the server's: what it refers to may go on for ever, and be wide.
func TestAttackEndlessSchema(t *testing.T) {
	refs := strings.Repeat(`{"$ref":"#"},`, 30) + `{"$ref":"#"}`
	wide := `{"$defs":{` + strings.Repeat(`"a":{"allOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/a"}]},"b":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}]},`, 5) + `"c":{"$ref":"#/$defs/a"}},"properties":{"x":{"$ref":"#/$defs/c"}}}`
	for _, schema := range []string{
		`{"$ref":"#"}`, `{"allOf":[{"$ref":"#"}]}`, `{"not":{"$ref":"#"}}`, `{"if":{"$ref":"#"},"then":{"$ref":"#"}}`,
		`{"anyOf":[` + refs + `]}`, `{"oneOf":[` + refs + `],"type":"object"}`, `{"allOf":[` + refs + `]}`, wide,
		`{"properties":{"x":{"anyOf":[` + refs + `]}}}`, `{"$defs":{"$ref":"#/$defs/$ref"},"$ref":"#/$defs"}`,
		strings.Repeat(`{"properties":{"x":`, 3000) + `{}` + strings.Repeat(`}}`, 3000),
	} {
		began := time.Now()
		s := Read([]byte(schema))
		_ = s.Note()
		root := s.Root()
		for _, f := range root.Fields() {
			_, _ = f.FromWord("x")
			_ = f.Type
		}
		_ = s.Check(mustParse(t, `{"x":{"x":[1,"2",{"x":null}]}}`))
		_ = s.Arguments(false).Add("x.x.x=1")
		if took := time.Since(began); took > time.Minute { // one without an end takes for ever
			t.Errorf("%.60s… took %s", schema, took)
		}
	}
}

func TestArguments(t *testing.T) {
	const schema = `{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer","minimum":1,"maximum":100},
		"status":{"enum":["open","late",7,"7"]},"tags":{"type":"array","items":{"type":"string"}},"sizes":{"type":"array","items":{"type":"integer"}},
		"where":{"$ref":"#/$defs/place"},"lines":{"type":"array","items":{"type":"object","properties":{"sku":{"type":"string"},"n":{"type":"integer"}}}},
		"exact":{"type":["boolean","null"]},"id":{"anyOf":[{"type":"string"},{"type":"integer"}]},"when":{"type":"Date"},"a.b":{"type":"number"},
		"meta":{"type":"object","additionalProperties":{"type":"integer"}}},
		"$defs":{"place":{"type":"object","properties":{"city":{"type":"string"},"zip":{"type":"integer"}}}}}`
	for _, test := range []struct{ words, want string }{
		{`query=5 limit=20 exact=null`, `{"query":"5","limit":20,"exact":null}`},
		{`exact=yes id=12 id=x`, `{"exact":true,"id":"x"}`},
		{`id=12`, `{"id":12}`},
		{`id:="12"`, `{"id":"12"}`},
		{`tags=a tags=b sizes=1,2 sizes=[3]`, `{"tags":["a","b"],"sizes":[1,2,3]}`},
		{`tags[]=c tags[]=d`, `{"tags":["c","d"]}`},
		{`where.city=Rome where.zip=123`, `{"where":{"city":"Rome","zip":123}}`},
		{`where={"city":"Rome"}`, `{"where":{"city":"Rome"}}`},
		{`lines[0].sku=1 lines[0].n=2 lines[1].sku=x`, `{"lines":[{"sku":"1","n":2},{"sku":"x"}]}`},
		{`status=7 a.b=1.5 when=2026-01-01 meta.x=1`, `{"status":7,"a.b":1.5,"when":"2026-01-01","meta":{"x":1}}`},
		{`status="7" limit:=12345678901234567890`, `{"status":"7","limit":12345678901234567890}`},
		{`limit=many`, `limit must be integer 1 to 100, not "many"`},
		{`status=closed`, `status must be one of open, late, 7, "7", not "closed"`},
		{`where=Rome`, `where must be object (as JSON, or field by field: key.field=value), not "Rome"`},
		{`qery=x`, `there is no argument qery`},
		{`query`, `not key=value or key:=json: query`},
		{`=x`, `not key=value or key:=json: =x`},
		{`[0]=x`, `not a name of an argument: [0]`},
		{`lines[5].sku=x`, `lines[5].sku does not fit what was given before it`},
		{`query=x query.a=y`, `query.a does not fit what was given before it`},
		{`limit:=x`, `limit:= must be JSON, as limit:=5 or limit:='["a"]', not x`},
	} {
		a := Read([]byte(schema)).Arguments(false)
		var err error
		for _, word := range strings.Fields(test.words) {
			if err == nil {
				err = a.Add(word)
			}
		}
		got := a.Value().Compact()
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.words, got, test.want)
		}
	}
	var unknown *UnknownError
	if err := Read([]byte(schema)).Arguments(false).Add("qery=x"); !errors.As(err, &unknown) || len(unknown.Known) != 12 {
		t.Errorf("%v", err)
	}
	if err := Read([]byte(schema)).Arguments(true).Add("qery=x"); err != nil {
		t.Errorf("loose: %v", err)
	}
}

func TestLoad(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1}`: "", ` `: "must be one JSON object: it is empty", `[1]`: `must be one JSON object, as {"key": "value"}, and is a list`,
		`{"a":1} {}`:          "must be one JSON object: line 1, column 10: more after the end of the value",
		"{\"a\":1,\n\"a\":2}": `must be one JSON object: line 2, column 1: duplicate object member name`,
	} {
		got := ""
		if err := Read(nil).Arguments(false).Load([]byte(text)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 日本 \u00a0x": "\"plain é 日本 \u00a0x\"", "a\u200bb\u202e": `"a\u200bb\u202e"`, "\x1b[1m\n": `"\u001b[1m\n"`, "\U000E0041": `"\udb40\udc41"`,
	} {
		if got := Quote(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
		if v := mustParse(t, Quote(text)); v.Text != text {
			t.Errorf("%q came back as %q", text, v.Text)
		}
	}
}
