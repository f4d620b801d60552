package mcpclient

import (
	"context"
	"encoding/json"
)

// Resources lists the server's resources, then its templates; of each, last, those
// that the policy hides from AI clients.
func (c *Client) Resources(ctx context.Context) ([]Resource, error) {
	all := []Resource{}
	for _, of := range []struct{ method, member, kind string }{
		{"resources/list", "resources", "resource"},
		{"resources/templates/list", "resourceTemplates", "template"},
	} {
		read, err := c.list(ctx, of.method, of.member, nil)
		if err != nil {
			return nil, err
		}
		for _, raw := range append(read.shown, read.hidden...) {
			r := readResource(raw)
			if of.kind == "resource" && r.URI == "" || of.kind == "template" && r.URITemplate == "" {
				continue
			}
			r.Access = c.x.Access(of.kind, r.URI+r.URITemplate)
			all = append(all, r)
		}
	}
	return all, nil
}

func readResource(raw json.RawMessage) Resource {
	var d struct {
		URI, URITemplate, Name, Title, Description, MIMEType loose
		Size                                                 *number
	}
	_ = json.Unmarshal(raw, &d) // members of another type are left out
	r := Resource{
		URI: string(d.URI), URITemplate: string(d.URITemplate), Name: string(d.Name), Title: string(d.Title),
		Description: string(d.Description), MIMEType: string(d.MIMEType), Size: -1, Raw: raw,
	}
	if d.Size != nil && *d.Size >= 0 && *d.Size < 1<<53 {
		r.Size = int64(*d.Size)
	}
	return r
}

// Read reads a resource. Errors are those of [Client.Call].
func (c *Client) Read(ctx context.Context, uri string) (ReadResult, error) {
	raw, err := c.converse(ctx, "resources/read", params{"uri": uri}, CallOptions{})
	if err != nil {
		return ReadResult{}, err
	}
	var d struct{ Contents []json.RawMessage }
	_ = json.Unmarshal(raw, &d) // what cannot be read is in Raw
	result := ReadResult{Contents: []Content{}, Raw: raw}
	for _, content := range d.Contents {
		result.Contents = append(result.Contents, readResourceContent(content))
	}
	return result, nil
}
