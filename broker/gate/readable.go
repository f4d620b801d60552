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

// isReadableList reports whether a list result has one reading.
func isReadableList(method string, result []byte) bool {
	var page struct {
		Next  relay.RawValue `json:"nextCursor"`
		Scope relay.RawValue `json:"cacheScope"`
	}
	if relay.DecodeStrict(result, &page) != nil {
		return false
	}
	switch method {
	case "tools/list":
		return relay.DecodeStrict(result, &struct {
			List []relay.RawValue `json:"tools"`
		}{}) == nil
	case "prompts/list":
		return relay.DecodeStrict(result, &struct {
			List []relay.RawValue `json:"prompts"`
		}{}) == nil
	case "resources/list":
		return relay.DecodeStrict(result, &struct {
			List []relay.RawValue `json:"resources"`
		}{}) == nil
	case "resources/templates/list":
		return relay.DecodeStrict(result, &struct {
			List []relay.RawValue `json:"resourceTemplates"`
		}{}) == nil
	case "tasks/list":
		return relay.DecodeStrict(result, &struct {
			List []relay.RawValue `json:"tasks"`
		}{}) == nil
	}
	return false
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
	err := relay.DecodeStrict(result, &offer)
	return err == nil || !relay.HasTwoReadings(err)
}

// isReadable reports whether an element of a list has one reading, in what is judged.
func isReadable(method string, element []byte) bool {
	switch method {
	case "tools/list":
		return isReadableTool(element)
	case "prompts/list":
		return relay.DecodeStrict(element, &struct {
			Name string `json:"name"`
		}{}) == nil
	case "resources/list":
		return relay.DecodeStrict(element, &struct {
			URI string `json:"uri"`
		}{}) == nil
	case "resources/templates/list":
		return relay.DecodeStrict(element, &struct {
			Template string `json:"uriTemplate"`
		}{}) == nil
	case "tasks/list":
		return relay.DecodeStrict(element, &struct {
			ID string `json:"taskId"`
		}{}) == nil
	}
	return false
}

// isReadableTool also looks where a schema declares the user as an argument. A
// schema of an odd shape is no reason to hide a tool.
func isReadableTool(element []byte) bool {
	var tool struct {
		Name   string         `json:"name"`
		Schema relay.RawValue `json:"inputSchema"`
	}
	if relay.DecodeStrict(element, &tool) != nil {
		return false
	}
	var schema struct {
		Properties relay.RawValue `json:"properties"`
		Required   relay.RawValue `json:"required"`
	}
	if !isObject(tool.Schema) {
		return true
	}
	if relay.DecodeStrict(tool.Schema, &schema) != nil {
		return false
	}
	var properties map[string]relay.RawValue
	return !isObject(schema.Properties) || relay.DecodeStrict(schema.Properties, &properties) == nil
}

func isObject(text []byte) bool { return len(text) > 0 && text[0] == '{' }

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
