package broker

import (
	"reflect"
	"strings"
	"testing"

	"github.com/mcpauth/mcpauth/broker/identity"
)

// A field that sameUser forgets would hand a stale user to the server.
func TestSameUserKnowsEveryField(t *testing.T) {
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
		default:
			t.Fatalf("field %d is a %s", i, field.Kind())
		}
		if sameUser(&a, &b) {
			t.Errorf("sameUser does not look at %s", reflect.TypeFor[identity.User]().Field(i).Name)
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
