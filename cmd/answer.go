package cmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker"
)

// answer has the person at the terminal answer a question of the server, in the
// middle of a call. Where nobody can be asked it is declined.
func (x *exploring) answer(ctx context.Context, e broker.Elicitation) broker.ElicitationAnswer {
	declined := broker.ElicitationAnswer{Action: "decline"}
	who := "The server asks"
	if e.Own {
		who = "mcpauth asks"
	}
	x.say("%s: %s", who, broker.CleanText(e.Message))
	switch {
	case !x.attended:
		x.say("  There is nobody at a terminal to answer, so it was declined.")
		return declined
	case e.URL != "":
		return x.answerURL(ctx, e)
	case e.Waits:
		if x.yesNo(ctx, "Are you done?", true) {
			return broker.ElicitationAnswer{Action: "accept"}
		}
		return declined
	}
	return x.answerForm(ctx, parseSchema(e.Schema))
}

// answerURL opens an address after asking. Its host is shown by itself: the rest of
// an address may say anything.
func (x *exploring) answerURL(ctx context.Context, e broker.Elicitation) broker.ElicitationAnswer {
	address, err := broker.ValidateAuthorizeURL(e.URL)
	if err != nil {
		x.say("  The address is not opened, since it %s, so it was declined: %s", printable(err.Error()), printable(e.URL))
		return broker.ElicitationAnswer{Action: "decline"}
	}
	if u, err := url.Parse(address); err == nil {
		x.say("  at %s", printable(u.Host))
	}
	x.say("  %s", address)
	if !x.yesNo(ctx, "Open it in your browser?", true) {
		return broker.ElicitationAnswer{Action: "decline"}
	}
	if (browser{env: x.deps.Env, talk: x.Err}).open(ctx, address) != nil {
		x.say("Open this page yourself:\n  %s", address)
	}
	return broker.ElicitationAnswer{Action: "accept"}
}

// answerForm asks field by field. An empty line leaves a field out, or takes its
// default.
func (x *exploring) answerForm(ctx context.Context, form *schema) broker.ElicitationAnswer {
	if len(form.Properties) == 0 {
		if x.yesNo(ctx, "Agree?", false) {
			return broker.ElicitationAnswer{Action: "accept"}
		}
		return broker.ElicitationAnswer{Action: "decline"}
	}
	x.say("  Enter leaves a field as it is, ! declines.")
	values := map[string]any{}
	for _, field := range form.Properties {
		value, sent, err := x.field(ctx, form, field)
		if err != nil {
			return broker.ElicitationAnswer{Action: "cancel"}
		}
		if value == errDeclined {
			return broker.ElicitationAnswer{Action: "decline"}
		}
		if sent {
			values[field.name] = value
		}
	}
	text, err := json.Marshal(values)
	if err != nil {
		return broker.ElicitationAnswer{Action: "cancel"}
	}
	return broker.ElicitationAnswer{Action: "accept", Content: text}
}

var errDeclined = errors.New("declined")

func (x *exploring) field(ctx context.Context, form *schema, field property) (value any, sent bool, err error) {
	s := field.resolved(form)
	about := s.words(form, 2)
	if s.Description != "" {
		about = firstLine(s.Description) + "; " + about
	}
	if s.Default != nil {
		about += "; default " + typed(s.Default)
	}
	for {
		word, err := x.ask(ctx, fmt.Sprintf("  %s (%s): ", printable(field.name), printable(about)))
		switch {
		case err != nil:
			return nil, false, err
		case word == "!":
			return errDeclined, false, nil
		case word == "" && s.Default != nil:
			decodeNumbers(string(s.Default), &value)
			return value, true, nil
		case word == "" && slices.Contains(form.Required, field.name):
			x.say("    it is required")
			continue
		case word == "":
			return nil, false, nil
		}
		if value, err = coerce(word, s, form, maxDepth); err == nil {
			return value, true, nil
		}
		x.say("    it must be %s", printable(err.Error()))
	}
}

// yesNo asks a question; an empty line is what is said to be usual.
func (x *exploring) yesNo(ctx context.Context, question string, usual bool) bool {
	choice := " [y/N] "
	if usual {
		choice = " [Y/n] "
	}
	word, err := x.ask(ctx, question+choice)
	switch strings.ToLower(word) {
	case "y", "yes":
		return err == nil
	case "":
		return err == nil && usual
	}
	return false
}

// ask reads one line of the person at the terminal. It ends with ctx; whoever reads
// next gets the line then.
func (a *app) ask(ctx context.Context, prompt string) (string, error) {
	fmt.Fprint(a.Err, prompt)
	if a.typedLines == nil {
		a.typedLines = make(chan string)
		go func() {
			defer close(a.typedLines)
			lines := bufio.NewScanner(a.In)
			for lines.Scan() {
				a.typedLines <- lines.Text()
			}
		}()
	}
	select {
	case line, ok := <-a.typedLines:
		if !ok {
			fmt.Fprintln(a.Err)
			return "", io.EOF
		}
		return strings.TrimSpace(line), nil
	case <-ctx.Done():
		fmt.Fprintln(a.Err)
		return "", ctx.Err()
	}
}
