package explorecmd

import (
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/cmd/console"
)

// printContents prints the parts of a result: texts as texts, of the others what
// they are.
func (x *exploring) printContents(out func(string, ...any), contents []mcpclient.Content, saved []string, raw bool) {
	link := ""
	defer func() {
		if link != "" {
			x.Say("to read a link: mcpauth resources read %s%s", console.Printable(text.QuoteWord(link)), console.Printable(x.server))
		}
	}()
	for i, c := range contents {
		if c.Text != "" || c.Type == "text" {
			body := c.Text
			if !raw {
				body = text.CleanText(body)
			}
			out("%s", strings.TrimSuffix(body, "\n"))
			continue
		}
		line := contentLine(c)
		if c.Type == "resource_link" && link == "" {
			link = c.URI
		}
		switch {
		case i < len(saved) && saved[i] != "":
			line += ", saved as " + console.Printable(saved[i])
		case c.Data != nil:
			line += "; to keep it: --save DIR"
		}
		out("[%s]", line)
	}
}

// contentLine says what a part is that is no text.
func contentLine(c mcpclient.Content) string {
	switch {
	case c.Type == "resource_link":
		return "link " + console.OrDash(c.Name) + " " + console.OrDash(c.URI)
	case c.Data != nil:
		return fmt.Sprintf("%s %s, %s", console.OrDash(c.Type), console.OrDash(c.MIMEType), byteCount(int64(len(c.Data))))
	}
	return console.OrDash(c.Type)
}

// bytesWords is a size for people.
func byteCount(n int64) string {
	switch {
	case n < 0:
		return ""
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1_000_000)
}

// saveContents writes the binary parts of a result into a folder, and returns the
// file of each part; empty for those that are none.
func saveContents(dir, name string, contents []mcpclient.Content) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unsaved(dir, err)
	}
	saved := make([]string, len(contents))
	for i, c := range contents {
		if c.Data == nil {
			continue
		}
		path, err := saveNew(dir, fileName(name), extension(c.MIMEType), c.Data)
		if err != nil {
			return nil, unsaved(dir, err)
		}
		saved[i] = path
	}
	return saved, nil
}

func unsaved(dir string, err error) error {
	return &problem.Problem{Msg: "the result cannot be saved in " + dir + ": " + err.Error(), Code: problem.ExitError, Err: err}
}

// saveNew never writes over a file: the name comes from a server.
func saveNew(dir, base, extension string, data []byte) (string, error) {
	for n := 1; ; n++ {
		path := filepath.Join(dir, fmt.Sprintf("%s-%d%s", base, n, extension))
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if os.IsExist(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(data)
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		return path, err
	}
}

var notInNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^A-Za-z0-9_-]+`) })

// fileName makes a name of the server's fit for a file.
func fileName(name string) string {
	const most = 60
	name = strings.Trim(notInNames().ReplaceAllString(name, "-"), "-")
	if name = name[:min(len(name), most)]; name == "" {
		return "result"
	}
	return name
}

func extension(mimeType string) string {
	known := map[string]string{
		"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp", "image/svg+xml": ".svg",
		"audio/wav": ".wav", "audio/mpeg": ".mp3", "audio/ogg": ".ogg", "application/pdf": ".pdf", "application/json": ".json",
	}
	kind, _, err := mime.ParseMediaType(mimeType)
	if err != nil || known[kind] == "" {
		return ".bin"
	}
	return known[kind]
}
