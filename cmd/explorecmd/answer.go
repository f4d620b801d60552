package explorecmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/table"
)

// answer has the person at the terminal answer a question of the server, in the
// middle of a call. Where nobody can be asked it is declined.
func (x *exploring) answer(ctx context.Context, e mcpclient.Elicitation) mcpclient.ElicitationAnswer {
	declined := mcpclient.ElicitationAnswer{Action: "decline"}
	who := "The server asks"
	if e.Own {
		who = "mcpauth asks"
	}
	x.Say("%s: %s", who, text.CleanText(e.Message))
	switch {
	case !x.attended:
		x.Say("  There is nobody at a terminal to answer, so it was declined.")
		return declined
	case e.URL != "":
		return x.answerURL(ctx, e)
	case e.Waits:
		if x.yesNo(ctx, "Are you done?", true) {
			return mcpclient.ElicitationAnswer{Action: "accept"}
		}
		return declined
	}
	return x.answerForm(ctx, toolargs.Read(e.Schema).Root())
}

// answerURL opens an address after asking. Its host is shown by itself: the rest of
// an address may say anything.
func (x *exploring) answerURL(ctx context.Context, e mcpclient.Elicitation) mcpclient.ElicitationAnswer {
	address, err := broker.ValidateAuthorizeURL(e.URL)
	if err != nil {
		x.Say("  The address is not opened, since it %s, so it was declined: %s", console.Printable(err.Error()), console.Printable(e.URL))
		return mcpclient.ElicitationAnswer{Action: "decline"}
	}
	if u, err := url.Parse(address); err == nil {
		x.Say("  at %s", console.Printable(u.Host))
	}
	x.Say("  %s", address)
	if !x.yesNo(ctx, "Open it in your browser?", true) {
		return mcpclient.ElicitationAnswer{Action: "decline"}
	}
	if x.Browser(x.Err)(ctx, address) != nil {
		x.Say("Open this page yourself:\n  %s", address)
	}
	return mcpclient.ElicitationAnswer{Action: "accept"}
}

// answerForm asks field by field. An empty line leaves a field out, or takes its
// default.
func (x *exploring) answerForm(ctx context.Context, form *toolargs.Field) mcpclient.ElicitationAnswer {
	if len(form.Fields()) == 0 {
		if x.yesNo(ctx, "Agree?", false) {
			return mcpclient.ElicitationAnswer{Action: "accept"}
		}
		return mcpclient.ElicitationAnswer{Action: "decline"}
	}
	x.Say("  Enter leaves a field as it is, ! declines.")
	values := toolargs.Object()
	for _, field := range form.Fields() {
		value, err := x.field(ctx, field)
		switch {
		case errors.Is(err, errDeclined):
			return mcpclient.ElicitationAnswer{Action: "decline"}
		case err != nil:
			return mcpclient.ElicitationAnswer{Action: "cancel"}
		case value != nil:
			values.Members = append(values.Members, toolargs.Member{Name: field.Name, Value: value})
		}
	}
	return mcpclient.ElicitationAnswer{Action: "accept", Content: json.RawMessage(values.Compact())}
}

var errDeclined = errors.New("declined")

// field asks for the value of a field; nil where it is left out.
func (x *exploring) field(ctx context.Context, f *toolargs.Field) (*toolargs.Value, error) {
	about := f.Type
	if f.About != "" {
		about = table.FirstLine(f.About) + "; " + about
	}
	if f.Default != nil {
		about += "; default " + toolargs.Word(f.Default)
	}
	for {
		word, err := x.Ask(ctx, fmt.Sprintf("  %s (%s): ", console.Printable(f.Name), console.Printable(about)))
		switch {
		case err != nil:
			return nil, err
		case word == "!":
			return nil, errDeclined
		case word == "" && f.Default != nil:
			return f.Default, nil
		case word == "" && f.Required:
			x.Say("    it is required")
			continue
		case word == "":
			return nil, nil
		}
		value, wanted := f.FromWord(word)
		if wanted == "" {
			return value, nil
		}
		x.Say("    it must be %s", console.Printable(wanted))
	}
}

// yesNo asks a question; an empty line is what is said to be usual.
func (x *exploring) yesNo(ctx context.Context, question string, usual bool) bool {
	choice := " [y/N] "
	if usual {
		choice = " [Y/n] "
	}
	word, err := x.Ask(ctx, question+choice)
	switch strings.ToLower(word) {
	case "y", "yes":
		return err == nil
	case "":
		return err == nil && usual
	}
	return false
}
