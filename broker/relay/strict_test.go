package relay

import (
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// askedFor is what tests decode.
type askedFor struct {
	Tools []struct {
		Name string `json:"name"`
	} `json:"tools"`
	Requests map[string]struct {
		Method string `json:"method"`
	} `json:"inputRequests"`
	Code float64  `json:"code"`
	Raw  RawValue `json:"raw"`
	Any  any      `json:"any"`
}

func TestDecodeStrictReadsWhatIsAskedFor(t *testing.T) {
	text := ` {"tools":[{"name":"a","Name2":1,"schema":{"x":1,"x":2}},{"name":"\u0062"},{"name":null}],
		"inputRequests":{"k":{"method":"roots/list"},"K":{"method":"m"}},"code":-32042.0,
		"raw":{"b":1, "b":"` + "\xff" + `"},"other":"` + "\xff\\ud800" + `","any":[1,{"é":true}]} ` + "\r"
	before := text
	var got askedFor
	line := []byte(text)
	if err := DecodeStrict(line, &got); err != nil {
		t.Fatal(err)
	}
	var want askedFor
	want.Tools = append(want.Tools, struct {
		Name string `json:"name"`
	}{"a"}, struct {
		Name string `json:"name"`
	}{"b"}, struct {
		Name string `json:"name"`
	}{""})
	want.Requests = map[string]struct {
		Method string `json:"method"`
	}{"k": {"roots/list"}, "K": {"m"}}
	want.Code, want.Raw, want.Any = -32042, RawValue(`{"b":1, "b":"`+"\xff"+`"}`), []any{1.0, map[string]any{"é": true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if string(line) != before {
		t.Error("the text was changed")
	}
	got = askedFor{}
	if err := DecodeStrict([]byte("null"), &got); err != nil || got.Tools != nil {
		t.Errorf("null: %v, %v", got, err)
	}
}

// One parser takes the first, the last, the folded or the unescaped of two names.
func TestAttackNamesWithTwoReadingsAreNotDecoded(t *testing.T) {
	for _, text := range []string{
		`{"tools":[],"tools":[{"name":"danger"}]}`,
		`{"tools":[],"Tools":[{"name":"danger"}]}`,
		`{"TOOLS":[]}`,
		`{"tool\u0073":[]}`,
		`{"toolſ":[]}`,
		`{"tools\u0000":[]}`,
		`{"tools\u0000x":[]}`,
		"{\"tools\xff\":[]}",
		`{"tools\ud800":[]}`,
		"{\"\ufeffraw\":1}",
		`{"too\u00adls":[]}`,
		`{"ｔｏｏｌｓ":[]}`,
		`{"tools":[{"name":"a","name":"b"}]}`,
		`{"tools":[{"Name":"a"}]}`,
		`{"tools":[{"n\u0061me":"a"}]}`,
		`{"inputRequests":{"a":{"method":"x"},"a":{"method":"y"}}}`,
		`{"inputRequests":{"a":{"method":"x"},"\u0061":{"method":"y"}}}`,
		`{"inputRequests":{"a":{"method":"sampling/createMessage","Method":"roots/list"}}}`,
		`{"inputRequests":{"a":{"method":"x","method":null}}}`,
		`{"InputRequests":{}}`,
		"{\"inputRequests\":{\"a\xff\":{}}}",
		`{"code":-32042,"Code":0}`,
		`{"code":-32042,"code":null}`,
		"{\"tools\":[{\"name\":\"dang\xffer\"}]}",
		`{"tools":[{"name":"dang\ud800er"}]}`,
		`{"any":{"a":1,"a":2}}`,
		`{"tools":[]} {}`, `{"tools":[]}x`, `{"tools":[],}`, `{"tools":[}`, `{"code":NaN}`, ``, `{`, "\ufeff{}",
		`{"tools":{}}`, `{"tools":[{"name":5}]}`, `[]`,
	} {
		var got askedFor
		if DecodeStrict([]byte(text), &got) == nil {
			t.Errorf("%q is decoded as %+v", text, got)
		}
	}
}

// A check fails where the decoding does: the kinds of what is asked for are known to both.
func TestCheckStrictFailsWhereDecodeStrictDoes(t *testing.T) {
	type form struct {
		Name string              `json:"name"`
		List []RawValue          `json:"list"`
		Map  map[string]RawValue `json:"map"`
		In   struct {
			Name string `json:"name"`
		} `json:"in"`
	}
	values := []string{`null`, `"a"`, `1`, `true`, `[]`, `[1]`, `{}`, `{"a":1}`, `{"a":1,"a":2}`, `{"name":1}`, `{"Name":"a"}`, `"\ud800"`, "\"\xff\"", `x`}
	for _, member := range []string{"name", "list", "map", "in", "other"} {
		for _, value := range values {
			text := []byte(`{"` + member + `":` + value + `}`)
			checked, decoded := CheckStrict(text, &form{}), DecodeStrict(text, &form{})
			if (checked == nil) != (decoded == nil) || HasTwoReadings(checked) != HasTwoReadings(decoded) {
				t.Errorf("%s: %v, but decoded: %v", text, checked, decoded)
			}
			err := json.Unmarshal(text, &form{}, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
			if err != nil && checked == nil {
				t.Errorf("%s passes the check, and cannot be decoded: %v", text, err)
			}
		}
	}
	optional := struct {
		In *form `json:"in"`
	}{}
	for text, want := range map[string]bool{`{"in":1}`: true, `{"in":{"name":1}}`: false, `{"in":{"name":"a","name":"b"}}`: false, `{"in":{}}`: true} {
		if err := CheckStrict([]byte(text), &optional); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}
