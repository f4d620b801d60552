package audit

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// Redacted stands where something was left out.
const Redacted = "[redacted]"

// maxContent bounds the JSON text that Redact reads, in bytes: what is longer would
// be cut to a few hundred anyway.
const maxContent = 16 << 10

// compiled is compiled when it is needed, which is not at each start.
func compiled(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// secretName matches the names of values that are never kept, without regard to
// case, and to - and _ in them.
var secretName = compiled(`(?i)token|secret|passw|passphrase|pwd|api[-_]?key|apikey|private[-_]?key|access[-_]?key|credential|authorization|cookie|session|bearer|signature|otp|\bpin\b|cvv|ssn|iban|card[-_]?number`)

// secretText matches parts of texts that look like secrets, whatever their name is.
var secretText = compiled(strings.Join([]string{
	`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*`,                  // JWT
	`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*-----|$)`, // PEM
	`(?i)\b(?:bearer|basic)\s+[A-Za-z0-9+/._~=-]{8,}`,                            // HTTP
	`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`,                                              // AWS
	`\bgh[pousr]_[A-Za-z0-9]{20,}`, `\bgithub_pat_[A-Za-z0-9_]{20,}`,             // GitHub
	`\bglpat-[A-Za-z0-9_-]{16,}`,                                        // GitLab
	`\bxox[abeoprs]-[A-Za-z0-9-]{10,}`,                                  // Slack
	`\bsk-[A-Za-z0-9_-]{16,}`, `\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}`, // OpenAI, Anthropic, Stripe
	`\bAIza[A-Za-z0-9_-]{30,}`, `\bya29\.[A-Za-z0-9_-]{10,}`, // Google
	`://[^/\s:@]*:[^/\s@]+@`, // a password in a URL
	`(?i)\b(?:password|passwd|pwd|secret|token|api[-_]?key)\s*[=:]\s*[^\s,;&"']+`,
	`\b(?:\d[ -]?){12,18}\d\b`, // payment cards
}, "|"))

// Redact is the JSON text of an argument as it may be kept: without the values whose
// names, and the parts of texts that themselves, look like secrets. A text that is
// long, or that is no JSON, is left out as a whole. It is a net with holes: a secret
// that looks like any other word passes.
func Redact(name string, value []byte) string {
	if secretName().MatchString(name) || len(value) > maxContent {
		return Redacted
	}
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return Redacted
	}
	text, err := json.Marshal(redact(v))
	if err != nil {
		return Redacted
	}
	return string(text)
}

func redact(v any) any {
	switch v := v.(type) {
	case string:
		return redactText(v)
	case json.Number:
		if secretText().MatchString(v.String()) {
			return Redacted
		}
	case []any:
		for i := range v {
			v[i] = redact(v[i])
		}
	case map[string]any:
		for name := range v {
			if secretName().MatchString(name) {
				v[name] = Redacted
			} else {
				v[name] = redact(v[name])
			}
		}
	}
	return v
}

// redactText also looks into texts that hold JSON, as tools often take it.
func redactText(text string) string {
	if inner := strings.TrimSpace(text); strings.HasPrefix(inner, "{") || strings.HasPrefix(inner, "[") {
		var v any
		if json.Unmarshal([]byte(inner), &v) == nil {
			if clean, err := json.Marshal(redact(v)); err == nil {
				return string(clean)
			}
		}
	}
	return secretText().ReplaceAllString(text, Redacted)
}

// RedactText is a text for people without the parts that look like secrets. It has
// the holes of [Redact].
func RedactText(text string) string { return secretText().ReplaceAllString(text, Redacted) }

// RedactURI is a resource URI as it may be kept in any case: without a password, and
// without the values of a query and of a fragment whose names look like secrets.
func RedactURI(uri string) string {
	if !strings.ContainsAny(uri, "@?#") {
		return uri
	}
	u, err := url.Parse(uri)
	if err != nil {
		return secretText().ReplaceAllString(uri, Redacted)
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "redacted")
	}
	clean := func(query string) string {
		parts := strings.Split(query, "&")
		for i, part := range parts {
			if name, _, has := strings.Cut(part, "="); has && secretName().MatchString(name) {
				parts[i] = name + "=redacted"
			}
		}
		return strings.Join(parts, "&")
	}
	u.RawQuery = clean(u.RawQuery)
	if strings.Contains(u.Fragment, "=") {
		u.Fragment, u.RawFragment = clean(u.Fragment), ""
	}
	return secretText().ReplaceAllString(u.String(), Redacted)
}
