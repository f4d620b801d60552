package identity

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// object reads the body as a JSON object, whatever media type it came with. A
// member that stands twice and says two things says nothing that can be read:
// two readers of one document must not see two things.
func (a *answer) object() (claims, error) {
	object, twice, err := a.members()
	for _, name := range twice {
		object[name] = oddForm
	}
	return object, err
}

// members reads the body as a JSON object and names the members that stand twice
// with two values; of these the last one counts. A byte order mark before the
// object and everything after it are skipped.
func (a *answer) members() (object claims, twice []string, err error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(bytes.TrimPrefix(a.body, []byte("\ufeff"))),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) // each member is judged by its reader
	if decoder.PeekKind() != '{' {
		if strings.HasSuffix(a.mediaType(), "json") {
			return nil, nil, errors.New("is not the JSON object that it should be")
		}
		return nil, nil, errors.New("is not JSON but " + a.kind())
	}
	object = claims{}
	_, _ = decoder.ReadToken()
	for decoder.PeekKind() == '"' {
		token, err := decoder.ReadToken()
		if err != nil {
			return nil, nil, a.broken()
		}
		name := token.String()
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, nil, a.broken()
		}
		if before, there := object[name]; there && !bytes.Equal(before, value) {
			twice = append(twice, name)
		}
		object[name] = slices.Clone(value)
	}
	if decoder.PeekKind() != '}' {
		return nil, nil, a.broken()
	}
	return object, twice, nil
}

// broken says what is wrong with an answer that begins as a JSON object, without a
// word of it.
func (a *answer) broken() error {
	if !utf8.Valid(a.body) {
		return errors.New("is JSON with a mistake, and not UTF-8 text")
	}
	return errors.New("is JSON with a mistake")
}

// form reads an answer of the old days, a=b&c=d.
func (a *answer) form() claims {
	values, err := url.ParseQuery(strings.TrimSpace(string(a.body)))
	if err != nil {
		return nil
	}
	object := claims{}
	for name := range values {
		text, err := json.Marshal(values.Get(name))
		if err == nil {
			object[name] = text
		}
	}
	return object
}

// isJWT tells whether the answer is one token, as a userinfo that is signed.
func (a *answer) isJWT() bool {
	body := bytes.TrimSpace(a.body)
	return a.mediaType() == "application/jwt" || bytes.HasPrefix(body, []byte("ey")) && bytes.Count(body, []byte(".")) >= 2
}

func (a *answer) mediaType() string {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return ""
	}
	return kind // in lower case
}

// kind names the media type for people.
func (a *answer) kind() string {
	if kind := a.mediaType(); kind != "" {
		return clean(kind)
	}
	return "of no known type"
}

// location is where a redirect leads, or nil when the answer is none that says so.
func (a *answer) location(from string) *url.URL {
	base, err := url.Parse(from)
	if err != nil || a.status < 300 || a.status >= 400 || a.header.Get("Location") == "" {
		return nil
	}
	target, err := base.Parse(a.header.Get("Location"))
	if err != nil {
		return nil
	}
	return target
}
