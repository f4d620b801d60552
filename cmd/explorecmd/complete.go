package explorecmd

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/gate"
	"github.com/mcpauth/mcpauth/broker/toolargs"
	"github.com/mcpauth/mcpauth/cmd/console"
	"github.com/mcpauth/mcpauth/cmd/table"
)

// Tab completion reads the lists that a server's client saw last. It starts no
// server, and asks neither the keychain nor the network.

// known are the elements of the last known list of a method.
func knownItems(a *console.App, method string) []json.RawMessage {
	paths, err := a.Paths()
	if err != nil {
		return nil
	}
	b := broker.New(broker.Options{Paths: paths, Env: a.Deps.Env, Dir: console.WorkingDirectory()})
	place := gate.Place{StateDir: paths.StateDir, Profile: gate.NobodysProfile}
	switch r, err := b.Resolve(a.Overrides()); {
	case err == nil:
		place.Profile, place.Command, place.Cwd = r.Name, r.Command, r.Cwd
	case !config.NoProfile(err):
		return nil
	}
	return gate.KnownList(place, method)
}

// completeItems completes the names of the items of a list.
func completeItems(a *console.App, method, member string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 && !strings.HasPrefix(method, "resources/") {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var words []string
		for _, raw := range knownItems(a, method) {
			item, _ := toolargs.ParseLenient(raw)
			words = appendWord(words, begun, item.GetText(member), cmp.Or(item.GetText("title"), item.GetText("description")))
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// appendWord adds a word that goes on from what was begun. One that a shell would
// not show as itself is left out.
func appendWord(words []string, begun, word, about string) []string {
	if word == "" || !strings.HasPrefix(word, begun) || console.Printable(word) != word {
		return words
	}
	if about = console.Printable(table.FirstLine(about)); about != "" {
		word += "\t" + about
	}
	return append(words, word)
}

// completeCall completes the name of a tool, then its arguments and their values.
func completeCall(a *console.App, c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return completeItems(a, "tools/list", "name")(c, args, begun)
	}
	for _, raw := range knownItems(a, "tools/list") {
		var t struct {
			Name        string
			InputSchema json.RawMessage
		}
		if json.Unmarshal(raw, &t) == nil && t.Name == args[0] {
			return completeFields(toolargs.Read(t.InputSchema).Root(), args[1:], begun)
		}
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func completeFields(root *toolargs.Field, given []string, begun string) (words []string, _ cobra.ShellCompDirective) {
	if key, value, hasValue := strings.Cut(begun, "="); hasValue {
		f := root.Field(strings.TrimSuffix(key, ":"))
		if f == nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		for _, o := range f.Choices {
			words = appendWord(words, begun, key+"="+toolargs.Word(o.Value), "")
		}
		if len(words) == 0 && value == "" {
			return nil, cobra.ShellCompDirectiveDefault // a file, perhaps
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	for _, f := range root.Fields() {
		if !slices.ContainsFunc(given, func(w string) bool { return strings.HasPrefix(w, f.Name+"=") || strings.HasPrefix(w, f.Name+":=") }) {
			words = appendWord(words, begun, f.Name+"=", f.About)
		}
	}
	return words, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// completePrompt completes the name of a prompt, then its arguments.
func completePrompt(a *console.App, c *cobra.Command, args []string, begun string) (words []string, _ cobra.ShellCompDirective) {
	if len(args) == 0 {
		return completeItems(a, "prompts/list", "name")(c, args, begun)
	}
	for _, raw := range knownItems(a, "prompts/list") {
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
