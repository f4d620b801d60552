package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/itchyny/gojq"
	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/cmd/console"
)

// addJQ gives every command the flag --jq, for what --json prints. It is here, and not
// in console, so that mcpauth-proxy does not link a jq.
func addJQ(a *console.App, root *cobra.Command) {
	var expression string
	root.PersistentFlags().StringVar(&expression, "jq", "", "print what this jq expression makes of the JSON; implies --json")
	before := root.PersistentPreRun
	root.PersistentPreRunE = func(c *cobra.Command, args []string) error {
		before(c, args)
		if !c.Flags().Changed("jq") {
			return nil
		}
		code, err := compileJQ(expression)
		if err != nil {
			return console.Usage("--jq: "+err.Error(), "mcpauth status --jq '.profiles[].state'")
		}
		a.JSON, a.Query = true, func(object []byte) ([]string, error) { return runJQ(code, object) }
		return nil
	}
}

// compileJQ reads an expression. It sees no variable of the environment and no file.
func compileJQ(expression string) (*gojq.Code, error) {
	query, err := gojq.Parse(expression)
	if err != nil {
		return nil, err
	}
	return gojq.Compile(query)
}

// runJQ are the results for an object: strings as they are, anything else as JSON on
// one line.
func runJQ(code *gojq.Code, object []byte) (lines []string, err error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber() // a large integer stays what it is
	var input any
	if err := decoder.Decode(&input); err != nil {
		return nil, err
	}
	results := code.Run(input)
	for {
		result, more := results.Next()
		if !more {
			return lines, nil
		}
		switch result := result.(type) {
		case error:
			return lines, fmt.Errorf("--jq: %w", result)
		case string:
			lines = append(lines, result)
		default:
			data, err := gojq.Marshal(result)
			if err != nil {
				return lines, err
			}
			lines = append(lines, string(data))
		}
	}
}
