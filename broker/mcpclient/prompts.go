package mcpclient

import (
	"context"
	"encoding/json"
)

// Prompts lists the server's prompts, and behind them those that the policy hides
// from AI clients.
func (c *Client) Prompts(ctx context.Context) ([]Prompt, error) {
	all, err := c.list(ctx, "prompts/list", "prompts", nil)
	if err != nil {
		return nil, err
	}
	prompts := []Prompt{}
	for _, raw := range append(all.shown, all.hidden...) {
		if p := readPrompt(raw); p.Name != "" {
			p.Access = c.x.Access("prompt", p.Name)
			prompts = append(prompts, p)
		}
	}
	return prompts, nil
}

func readPrompt(raw json.RawMessage) Prompt {
	var d struct {
		Name, Title, Description loose
		Arguments                []struct {
			Name, Title, Description loose
			Required                 claim
		}
	}
	_ = json.Unmarshal(raw, &d) // members of another type are left out
	p := Prompt{Name: string(d.Name), Title: string(d.Title), Description: string(d.Description), Raw: raw}
	for _, a := range d.Arguments {
		p.Arguments = append(p.Arguments, PromptArgument{
			Name: string(a.Name), Title: string(a.Title), Description: string(a.Description), Required: bool(a.Required),
		})
	}
	return p
}

// Prompt gets a prompt. Errors are those of [Client.Call].
func (c *Client) Prompt(ctx context.Context, name string, arguments map[string]string) (PromptResult, error) {
	p := params{"name": name}
	if len(arguments) > 0 {
		p["arguments"] = arguments
	}
	raw, err := c.converse(ctx, "prompts/get", p, CallOptions{})
	if err != nil {
		return PromptResult{}, err
	}
	var d struct {
		Description loose
		Messages    []struct {
			Role    loose
			Content json.RawMessage
		}
	}
	_ = json.Unmarshal(raw, &d) // what cannot be read is in Raw
	result := PromptResult{Description: string(d.Description), Raw: raw}
	for _, m := range d.Messages {
		result.Messages = append(result.Messages, PromptMessage{Role: string(m.Role), Content: readContent(m.Content)})
	}
	return result, nil
}

// Complete asks for values of one argument of a prompt or template that begin with
// value; others are arguments that are set already.
func (c *Client) Complete(ctx context.Context, ref CompletionRef, argument, value string, others map[string]string) (Completion, error) {
	p := params{
		"ref":      map[string]any{"type": "ref/prompt", "name": ref.Prompt},
		"argument": map[string]any{"name": argument, "value": value},
	}
	if ref.URITemplate != "" {
		p["ref"] = map[string]any{"type": "ref/resource", "uri": ref.URITemplate}
	}
	if len(others) > 0 {
		p["context"] = map[string]any{"arguments": others}
	}
	raw, err := c.request(ctx, "completion/complete", p)
	if err != nil {
		return Completion{}, err
	}
	var d struct {
		Completion struct {
			Values  []loose
			Total   number
			HasMore claim
		}
	}
	_ = json.Unmarshal(raw, &d) // members of another type are left out
	completion := Completion{Total: int(d.Completion.Total), HasMore: bool(d.Completion.HasMore)}
	for _, v := range d.Completion.Values {
		completion.Values = append(completion.Values, string(v))
	}
	return completion, nil
}
