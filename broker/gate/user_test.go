package gate

import (
	"reflect"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/identity"
)

// A field that is not compared would hand a stale user to the server.
func TestUserTextKnowsEveryField(t *testing.T) {
	for i := range reflect.TypeFor[identity.User]().NumField() {
		var a, b identity.User
		field := reflect.ValueOf(&b).Elem().Field(i)
		switch field.Kind() {
		case reflect.String:
			field.SetString("x")
		case reflect.Int64:
			field.SetInt(1)
		case reflect.Slice:
			field.Set(reflect.ValueOf([]string{"x"}))
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Struct:
			field.Set(reflect.ValueOf(identity.Claimed{Gaps: []identity.Gap{{Claim: "groups"}}}))
		default:
			t.Fatalf("field %d is a %s", i, field.Kind())
		}
		var u userText
		if u.of(&a); u.of(&b).user != &b {
			t.Errorf("a change of %s is not seen", reflect.TypeFor[identity.User]().Field(i).Name)
		}
	}
}

func TestUserTextFollowsTheUser(t *testing.T) {
	var u userText
	for _, sub := range []string{"ada", "ada", "grace", "ada"} {
		if text := string(u.of(&identity.User{Sub: sub}).text); !strings.Contains(text, `"sub":"`+sub+`"`) {
			t.Errorf("%s: %s", sub, text)
		}
	}
}
