package gate

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcpauth/mcpauth/broker/relay"
)

// What a server says is judged as the client will read it. Clients differ in how
// they read a name that stands there twice, escaped or in another letter case, so
// what has such a name is not shown.

// listForms are what is judged of each list result.
var listForms = map[string]any{
	"tools/list": &struct {
		Next  relay.RawValue   `json:"nextCursor"`
		Scope relay.RawValue   `json:"cacheScope"`
		List  []relay.RawValue `json:"tools"`
	}{},
	"prompts/list": &struct {
		Next  relay.RawValue   `json:"nextCursor"`
		Scope relay.RawValue   `json:"cacheScope"`
		List  []relay.RawValue `json:"prompts"`
	}{},
	"resources/list": &struct {
		Next  relay.RawValue   `json:"nextCursor"`
		Scope relay.RawValue   `json:"cacheScope"`
		List  []relay.RawValue `json:"resources"`
	}{},
	"resources/templates/list": &struct {
		Next  relay.RawValue   `json:"nextCursor"`
		Scope relay.RawValue   `json:"cacheScope"`
		List  []relay.RawValue `json:"resourceTemplates"`
	}{},
	"tasks/list": &struct {
		Next  relay.RawValue   `json:"nextCursor"`
		Scope relay.RawValue   `json:"cacheScope"`
		List  []relay.RawValue `json:"tasks"`
	}{},
}

// isReadableList reports whether a list result has one reading.
func isReadableList(method string, result []byte) bool {
	form := listForms[method]
	return form != nil && relay.CheckStrict(result, form) == nil
}

// readableOffer reports whether the answer to initialize or server/discover has one
// reading, in what a client goes by: what the server can do and which protocol it
// speaks. What is of another type than MCP says has one, too.
func readableOffer(result []byte) bool {
	type ability struct {
		ListChanged relay.RawValue `json:"listChanged"`
		Subscribe   relay.RawValue `json:"subscribe"`
	}
	var offer struct {
		Version   relay.RawValue `json:"protocolVersion"`
		Versions  relay.RawValue `json:"supportedVersions"`
		Server    relay.RawValue `json:"serverInfo"`
		Words     relay.RawValue `json:"instructions"`
		Abilities struct {
			Tools       ability        `json:"tools"`
			Prompts     ability        `json:"prompts"`
			Resources   ability        `json:"resources"`
			Completions relay.RawValue `json:"completions"`
			Logging     relay.RawValue `json:"logging"`
			Tasks       relay.RawValue `json:"tasks"`
			Extensions  relay.RawValue `json:"extensions"`
			Other       relay.RawValue `json:"experimental"`
		} `json:"capabilities"`
	}
	err := relay.CheckStrict(result, &offer)
	return err == nil || !relay.HasTwoReadings(err)
}

// elementForms are what is judged of an element of each list. Of a tool, that is also where
// its schema declares the user as an argument; a schema of an odd shape is no reason to
// hide it.
var elementForms = map[string]any{
	"tools/list": &struct {
		Name   string `json:"name"`
		Schema *struct {
			Properties *map[string]relay.RawValue `json:"properties"`
			Required   relay.RawValue             `json:"required"`
		} `json:"inputSchema"`
	}{},
	"prompts/list": &struct {
		Name string `json:"name"`
	}{},
	"resources/list": &struct {
		URI string `json:"uri"`
	}{},
	"resources/templates/list": &struct {
		Template string `json:"uriTemplate"`
	}{},
	"tasks/list": &struct {
		ID string `json:"taskId"`
	}{},
}

// isReadable reports whether an element of a list has one reading, in what is judged.
func isReadable(method string, element []byte) bool {
	form := elementForms[method]
	return form != nil && relay.CheckStrict(element, form) == nil
}

// mayName reports whether a text may hold a name, a part of which in small letters is
// given, in any spelling: in another letter case, escaped, in other scripts. Most
// texts do not, and need not be decoded.
func mayName(text []byte, part string) bool {
	if bytes.Contains(text, []byte(`\u`)) || slices.ContainsFunc(text, func(c byte) bool { return c >= utf8.RuneSelf }) {
		return true
	}
	first := part[:1] + strings.ToUpper(part[:1])
	for rest := text; ; {
		at := bytes.IndexAny(rest, first)
		if at < 0 || len(rest)-at < len(part) {
			return false
		}
		if bytes.EqualFold(rest[at:at+len(part)], []byte(part)) {
			return true
		}
		rest = rest[at+1:]
	}
}
