package keychain

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const canary = "CANARY-secret-7f3a"

// wantHidden fails if text has the canary, also as hex, quoted or as numbers.
func wantHidden(t *testing.T, how, text string) {
	t.Helper()
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprintf("% x", canary), fmt.Sprint([]byte(canary)), fmt.Sprintf("%#v", []byte(canary))} {
		if strings.Contains(text, strings.Trim(form, "[]")) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
}

type holder struct {
	Token  Secret
	hidden Secret
	Ptr    *Secret
	List   []Secret
	Map    map[string]Secret
	Any    any
	inner  struct{ deep *holder }
}

func newHolder() holder {
	s := NewSecret(canary)
	h := holder{Token: s, hidden: s, Ptr: &s, List: []Secret{s}, Map: map[string]Secret{"k": s}, Any: s}
	h.inner.deep = &holder{hidden: s}
	return h
}

func TestSecretIsHiddenFromEveryVerb(t *testing.T) {
	s := NewSecret(canary)
	h := newHolder()
	values := map[string]any{
		"secret": s, "pointer": &s, "struct": h, "pointer to struct": &h,
		"slice": []Secret{s}, "array": [1]Secret{s}, "map": map[string]Secret{"k": s}, "any": []any{s, &s},
		"unexported field": struct{ s Secret }{s}, "unexported map": struct{ m map[string]Secret }{map[string]Secret{"k": s}},
		"unexported slice": struct{ s []Secret }{[]Secret{s}}, "unexported any": struct{ a any }{s},
		"embedded": struct{ Secret }{s}, "channel of": struct{ p *Secret }{&s},
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%b", "%c", "%U", "%t", "%e", "%p", "%20.3s", "%w", "%T"} {
			wantHidden(t, name+" "+verb, fmt.Sprintf(verb, value))
		}
		wantHidden(t, name+" Errorf", fmt.Errorf("login: %v, %s, %+v", value, value, value).Error())
		wantHidden(t, name+" Sprint", fmt.Sprint(value)+fmt.Sprintln(value))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != redacted {
			t.Errorf("%s prints %q", verb, got)
		}
		if got := fmt.Sprintf(verb, Secret{}); got != redacted {
			t.Errorf("%s prints %q for the empty secret: it tells that there is none", verb, got)
		}
	}
}

func TestSecretIsHiddenFromEncodersAndLogs(t *testing.T) {
	s := NewSecret(canary)
	h := newHolder()
	encoded, err := json.Marshal(map[string]any{"h": h, "s": s, "p": &s, "list": []Secret{s}, "map": map[string]Secret{"k": s}})
	if err != nil {
		t.Fatal(err)
	}
	wantHidden(t, "json", string(encoded))
	if got := strings.Count(string(encoded), redacted); got != 9 {
		t.Errorf("json has %d redactions, want 9: %s", got, encoded)
	}
	type element struct{ Token Secret }
	markup, err := xml.Marshal(element{s})
	if err != nil || !strings.Contains(string(markup), redacted) {
		t.Errorf("xml: %s, %v", markup, err)
	}
	wantHidden(t, "xml", string(markup))

	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).With("with", s).Info("m", "s", s, "p", &s, "h", h, "hp", &h, "list", []Secret{s}, slog.Group("g", "s", s), "err", errors.New(s.String()))
	}
	wantHidden(t, "slog", log.String())
	if !strings.Contains(log.String(), "s="+redacted) {
		t.Errorf("slog does not say that something was there: %s", log.String())
	}
}

func TestSecretHoldsItsText(t *testing.T) {
	s := NewSecret(canary)
	if s.Reveal() != canary || s.IsZero() {
		t.Error("the text is gone")
	}
	if (Secret{}).Reveal() != "" || !(Secret{}).IsZero() || !NewSecret("").IsZero() {
		t.Error("the zero secret and the secret of nothing are not both empty")
	}
	if !s.Equal(NewSecret(canary)) || s.Equal(NewSecret(canary+"x")) || s.Equal(Secret{}) || !(Secret{}).Equal(NewSecret("")) {
		t.Error("Equal does not compare the texts")
	}
	type pair struct{ Token Secret }
	if diff := cmp.Diff(pair{s}, pair{NewSecret(canary)}); diff != "" {
		t.Errorf("go-cmp tells equal secrets apart: %s", diff)
	}
	if cmp.Equal(pair{s}, pair{NewSecret(canary + "x")}) || s != NewSecret(canary) || s == NewSecret(canary+"x") || NewSecret("") != (Secret{}) {
		t.Error("secrets are not equal exactly when their texts are")
	}
	if out, _ := json.Marshal(struct {
		Token Secret `json:"token,omitzero"`
	}{}); string(out) != "{}" {
		t.Errorf("omitzero keeps an empty secret: %s", out)
	}
}
