package toolargs

import (
	"slices"
	"strings"
	"testing"
)

func TestSampleCall(t *testing.T) {
	for schema, want := range map[string]string{
		`{"type":"object","required":["customer","items"],"properties":{
			"customer":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"vip":{"type":"boolean"}}},
			"items":{"type":"array","minItems":1,"items":{"type":"object","required":["sku","qty"],"properties":{"sku":{"type":"string"},"qty":{"type":"integer","minimum":1}}}}}}`: `customer.name=NAME items[0].sku=SKU items[0].qty=1`,
		`{"type":"object","properties":{"limit":{"type":"integer"}}}`:                                                                                                                                                 ``,
		`{"type":"object","required":["n"],"properties":{"n":{"type":"number","exclusiveMinimum":2.5,"multipleOf":5}}}`:                                                                                               `n=5`,
		`{"type":"object","required":["n"],"properties":{"n":{"type":"integer","maximum":-3}}}`:                                                                                                                       `n=-3`,
		`{"type":"object","required":["a.b"],"properties":{"a.b":{"type":"object","required":["c"],"properties":{"c":{}}}}}`:                                                                                          `a.b:={"c":"C"}`,
		`{"type":"object","required":["id"],"properties":{"id":{"type":"string","minLength":4}}}`:                                                                                                                     `id=IDDD`,
		`{"type":"object","required":["v"],"properties":{"v":{"enum":["1",1]}}}`:                                                                                                                                      `v:="1"`,
		`{"type":"object","required":["to"],"properties":{"to":{"oneOf":[{"type":"object","required":["mail"],"properties":{"mail":{"type":"string"}}},{"type":"string"}]}}}`:                                         `to.mail=MAIL`,
		`{"type":"object","required":["map"],"properties":{"map":{"type":"object"}}}`:                                                                                                                                 `map={}`,
		`{"oneOf":[{"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}},{"type":"object","required":["b"],"properties":{"b":{"type":"integer"}}}]}`:                                               `a=1`,
		`{"type":"object","required":["node"],"properties":{"node":{"$ref":"#/$defs/N"}},"$defs":{"N":{"type":"object","required":["next"],"properties":{"next":{"anyOf":[{"$ref":"#/$defs/N"},{"type":"null"}]}}}}}`: ``,
		`not a schema`: ``,
		`{"type":"object","required":"all","properties":{"a":7,"b":{"minimum":"x"}}}`: ``,
	} {
		s := Read([]byte(schema))
		words := s.SampleCall()
		if got := strings.Join(words, " "); want != "" && got != want {
			t.Errorf("%s\n%s, want %s", schema, got, want)
		}
		mustTake(t, schema, s, words)
	}
}

// mustTake wants the words of a sample call to be taken, and to make arguments that
// fit the schema.
func mustTake(t *testing.T, name string, s *Schema, words []string) {
	t.Helper()
	made := s.Arguments(false)
	for _, word := range words {
		if err := made.Add(word); err != nil {
			t.Errorf("%s: %s is not taken: %v", name, word, err)
		}
	}
	if problems := slices.DeleteFunc(s.Check(made.Value()), func(p Problem) bool { return !hard(p) }); len(problems) > 0 {
		t.Errorf("%s: %s is refused: %s", name, words, problems[0].Sentence())
	}
}

// TestSampleCallsOfPublicServers: what `tools show` suggests is what `tools call` takes.
func TestSampleCallsOfPublicServers(t *testing.T) {
	for name, text := range corpus(t) {
		s := Read(text)
		mustTake(t, name, s, s.SampleCall())
	}
}

func TestSignature(t *testing.T) {
	for schema, want := range map[string]string{
		`{"type":"object","properties":{}}`: "()",
		`{"type":"object","required":["a","b"],"properties":{"a":{"type":"number"},"b":{"type":"number"}}}`:                                          "(a: number, b: number)",
		`{"type":"object","required":["q"],"properties":{"limit":{"type":"integer","maximum":9},"q":{"type":"string"},"by":{"enum":["a","b"]}}}`:     "(q: string, limit?: integer, by?: a|b)",
		`{"type":"object","properties":{"tags":{"type":"array","items":{"type":"string"}},"where":{"type":"object"},"x":{}}}`:                        "(tags?: string[], where?: object, x?: any)",
		`{"type":"object","properties":{"a_rather_long_name":{"type":"string"},"another_rather_long_name":{"type":"string"},"b":{"type":"string"}}}`: "(a_rather_long_name?: string, …)",
		`{"type":"object","properties":{"a_name_that_is_longer_than_all_that_there_is_room_for":{"type":"string"}}}`:                                 "(…)",
		`7`: "()",
	} {
		if got := Read([]byte(schema)).Signature(); got != want {
			t.Errorf("%s\n%s, want %s", schema, got, want)
		}
	}
}

// TestInvalidSchemaBlocksNothing: what a schema cannot mean is no reason to refuse a call.
func TestInvalidSchemaBlocksNothing(t *testing.T) {
	for _, schema := range []string{
		`not JSON`, `7`, `[]`, `null`, `{"type":"dictionary"}`, `{"type":7}`, `{"required":true}`, `{"required":[5,null]}`, `{"properties":[]}`,
		`{"properties":{"a":"string"}}`, `{"properties":{"a":{"type":"strin"}}}`, `{"properties":{"a":{"pattern":"(?=x)"}}}`,
		`{"properties":{"a":{"minLength":"9"}}}`, `{"properties":{"a":{"enum":"x"}}}`, `{"properties":{"a":{"enum":[]}}}`,
		`{"properties":{"a":{"$ref":"#/nowhere"}}}`, `{"properties":{"a":{"anyOf":[]}}}`, `{"properties":{"a":{"oneOf":{"b":1}}}}`,
		`{"properties":{"a":{"items":5}}}`, `{"additionalProperties":"no"}`, `{"propertyNames":"no"}`, `{"dependentRequired":{"a":"b"}}`, `{"not":"a"}`,
		`{"if":7,"then":false}`, `{"minProperties":"2"}`, `{"allOf":{"a":1}}`, `{"patternProperties":{"(":false}}`,
	} {
		mustTake(t, schema, Read([]byte(schema)), []string{"a=1"})
	}
}
