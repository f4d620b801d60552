package mcpclient

import (
	"encoding/base64"
	"encoding/json"
)

func readContents(list []json.RawMessage) []Content {
	contents := []Content{}
	for _, raw := range list {
		contents = append(contents, readContent(raw))
	}
	return contents
}

// readContent reads one part. One that cannot be read is only Raw.
func readContent(raw json.RawMessage) Content {
	var d struct {
		Type, Text, Data, MIMEType, URI, Name loose
		Resource                              json.RawMessage
	}
	c := Content{Raw: raw}
	_ = json.Unmarshal(raw, &d) // members of another type are left out
	c.Type, c.Text, c.MIMEType, c.URI, c.Name = string(d.Type), string(d.Text), string(d.MIMEType), string(d.URI), string(d.Name)
	c.Data = decoded(d.Data)
	if c.Type == "resource" {
		inner := readResourceContent(d.Resource)
		c.Text, c.Data, c.MIMEType, c.URI = inner.Text, inner.Data, inner.MIMEType, inner.URI
	}
	return c
}

// readResourceContent reads what resources/read gives, or what is embedded.
func readResourceContent(raw json.RawMessage) Content {
	c := Content{Type: "resource", Raw: raw}
	var d struct{ URI, MIMEType, Text, Blob loose }
	_ = json.Unmarshal(raw, &d)
	c.URI, c.MIMEType, c.Text, c.Data = string(d.URI), string(d.MIMEType), string(d.Text), decoded(d.Blob)
	return c
}

// decoded is nil for what is no base64.
func decoded(text loose) []byte {
	if text == "" {
		return nil
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if data, err := encoding.DecodeString(string(text)); err == nil {
			return data
		}
	}
	return nil
}
