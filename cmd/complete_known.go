package cmd

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
)

// Tab completion reads the lists that a server's client saw last. It starts no
// server, and asks neither the keychain nor the network.

// known are the elements of the last known list of a method.
func (a *app) known(method string) []json.RawMessage {
	paths, err := a.paths()
	if err != nil {
		return nil
	}
	b := broker.New(broker.Options{Paths: paths, Env: a.deps.Env, Dir: workingDirectory()})
	return b.KnownList(a.overrides(), method)
}

// completeItems completes the names of the items of a list.
func (a *app) completeItems(method, member string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 && !strings.HasPrefix(method, "resources/") {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var words []string
		for _, raw := range a.known(method) {
			var item map[string]json.RawMessage
			_ = json.Unmarshal(raw, &item)
			words = appendWord(words, begun, typed(item[member]), cmp.Or(typed(item["title"]), typed(item["description"])))
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// appendWord adds a word that goes on from what was begun. One that a shell would
// not show as itself is left out.
func appendWord(words []string, begun, word, about string) []string {
	if word == "" || !strings.HasPrefix(word, begun) || printable(word) != word {
		return words
	}
	if about = printable(firstLine(about)); about != "" {
		word += "\t" + about
	}
	return append(words, word)
}

// completeCall completes the name of a tool, then its arguments and their values.
func (a *app) completeCall(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeItems("tools/list", "name")(c, args, begun)
	}
	for _, raw := range a.known("tools/list") {
		var t struct {
			Name        string
			InputSchema json.RawMessage
		}
		if json.Unmarshal(raw, &t) == nil && t.Name == args[0] {
			return completeFields(parseSchema(t.InputSchema), args[1:], begun)
		}
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func completeFields(root *schema, given []string, begun string) (words []string, _ cobra.ShellCompDirective) {
	top := root.resolved(root)
	if key, value, hasValue := strings.Cut(begun, "="); hasValue {
		s := top.property(strings.TrimSuffix(key, ":"))
		if s == nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		for _, v := range s.resolved(root).values() {
			words = appendWord(words, begun, key+"="+v, "")
		}
		if len(words) == 0 && value == "" {
			return nil, cobra.ShellCompDirectiveDefault // a file, perhaps
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	for _, p := range top.Properties {
		if !slices.ContainsFunc(given, func(w string) bool { return strings.HasPrefix(w, p.name+"=") || strings.HasPrefix(w, p.name+":=") }) {
			words = appendWord(words, begun, p.name+"=", p.resolved(root).Description)
		}
	}
	return words, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// values are those that a person can choose from.
func (s *schema) values() (words []string) {
	for _, v := range s.Enum {
		words = append(words, typed(v))
	}
	if slices.Equal(s.Types, []string{"boolean"}) {
		words = append(words, "true", "false")
	}
	return words
}

// completePrompt completes the name of a prompt, then its arguments.
func (a *app) completePrompt(c *cobra.Command, args []string, begun string) (words []string, _ cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeItems("prompts/list", "name")(c, args, begun)
	}
	for _, raw := range a.known("prompts/list") {
		var p struct {
			Name      string
			Arguments []struct{ Name, Description string }
		}
		if json.Unmarshal(raw, &p) != nil || p.Name != args[0] {
			continue
		}
		for _, argument := range p.Arguments {
			words = appendWord(words, begun, argument.Name+"=", argument.Description)
		}
	}
	return words, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}
