package doctor

import (
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/text"
)

// Report is what the doctor found, made fit for an issue or a chat: without
// tokens, secrets, e-mail addresses, the home folder and the user's name. The
// issuer and the client_id stay: neither is a secret, and most questions are about
// them.
type Report struct {
	Version   string            `json:"version"`
	OS        string            `json:"os"`
	Arch      string            `json:"arch"`
	Go        string            `json:"go"`
	Profile   map[string]string `json:"profile"`   // fields of the profile that was examined, with where each comes from
	Variables []string          `json:"variables"` // names of variables that are set, never values
	Findings  []Finding         `json:"findings"`
}

// reported are the fields of a profile that a report tells the value of.
var reported = []string{
	"issuer", "metadata_url", "client_id", "provider", "grant", "scopes", "offline_access", "redirect_uris", "audience", "resource", "user_context",
	"groups_claim", "roles_claim", "trust_email", "idle_limit", "absolute_limit",
	"ca_file", "proxy",
}

// telling are variables whose presence explains much.
var telling = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(MCPAUTH_.*|OKTA_.*|OAUTH_REDIRECT_URI|BROWSER|DISPLAY|WAYLAND_DISPLAY|DBUS_SESSION_BUS_ADDRESS|XDG_RUNTIME_DIR|` +
		`SSH_CONNECTION|WSL_DISTRO_NAME|container|HTTPS?_PROXY|https?_proxy|NO_PROXY|no_proxy|SSL_CERT_FILE|SSL_CERT_DIR)$`)
})

// Report makes a report of the diagnosis. home is the user's home folder.
func (d Diagnosis) Report(o Options, home string) Report {
	s := scrubber{home: home}
	r := Report{
		Version: o.Version, OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(),
		Profile: map[string]string{}, Variables: []string{}, Findings: []Finding{},
	}
	for _, entry := range o.Environ {
		if name, _, _ := strings.Cut(entry, "="); telling().MatchString(name) {
			r.Variables = append(r.Variables, name)
		}
	}
	slices.Sort(r.Variables)
	values := profileTexts(d.resolved)
	for _, field := range reported {
		if values[field] != "" {
			r.Profile[field] = s.text(values[field]) + " (" + string(d.resolved.Origin[field]) + ")"
		}
	}
	if command := d.resolved.Command; len(command) > 0 { // its arguments may hold secrets
		r.Profile["command"] = s.text(text.ServerName(command)) + " and " + text.Count(len(command)-1, "argument")
	}
	for _, f := range d.Findings {
		f.What, f.Cause = s.text(f.What), s.text(f.Cause)
		f.Hints = slices.Clone(f.Hints)
		for i := range f.Hints {
			f.Hints[i] = s.text(f.Hints[i])
		}
		r.Findings = append(r.Findings, f)
	}
	return r
}

// profileTexts are the fields of a profile by their names in the file.
func profileTexts(r config.Resolved) map[string]string {
	return map[string]string{
		"issuer": r.Issuer, "metadata_url": r.MetadataURL, "client_id": r.ClientID, "provider": r.Provider, "grant": r.Grant,
		"scopes": strings.Join(r.Scopes, " "), "offline_access": r.OfflineAccess, "redirect_uris": strings.Join(r.RedirectURIs, " "),
		"audience": r.Audience, "resource": r.Resource, "user_context": r.UserContext,
		"groups_claim": r.GroupsClaim, "roles_claim": r.RolesClaim, "trust_email": config.SwitchText(r.TrustEmail), "idle_limit": r.IdleLimit, "absolute_limit": r.AbsoluteLimit,
		"ca_file": r.CAFile, "proxy": r.Proxy,
	}
}

// scrubber takes secrets and personal data out of a text.
type scrubber struct{ home string }

var (
	emailText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`) })
	// longText is a word that may be a token: client_ids and the names of files are
	// shorter, paths and URLs have other characters in between.
	longText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9_+=-]{40,}`) })
	// namedSecret is a value whose name says that it is one, as a server writes its
	// settings when it ends: DB_PASSWORD=…, api_key: '…', "refreshToken": "…".
	namedSecret = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)[\w-]*(?:passw(?:or)?d|passphrase|pwd|_pass|secret|token|api[-_]?key|credentials?)["']?\s*[=:]\s*(?:"[^"]*"|'[^']*'|[^\s,;&"']+)`)
	})
	// sentence is what follows a colon in our own words, as in "no refresh token: the
	// sign-in ends": it begins with a word that is nobody's secret.
	sentence = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b(passw(?:or)?d|passphrase|secret|token|credentials?)` +
			`(: (?:the|an?|it|its|this|that|there|no|not|is|was|mcpauth) )`)
	})
	homeText = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`((?:/home|/Users|[A-Za-z]:\\Users)[/\\])[^/\\\s"':]+`)
	})
)

func (s scrubber) text(text string) string {
	const apart = "\x00" // between a name and a sentence, so that nothing takes the sentence for a value
	text = sentence().ReplaceAllString(text, "${1}"+apart+"${2}")
	text = namedSecret().ReplaceAllString(audit.RedactText(text), audit.Redacted)
	text = strings.ReplaceAll(text, apart, "")
	if s.home != "" && s.home != string(filepath.Separator) {
		text = strings.ReplaceAll(text, s.home, "~")
	}
	text = homeText().ReplaceAllString(text, "${1}[user]") // of others, as in another person's file
	text = emailText().ReplaceAllString(text, "[e-mail]")
	return longText().ReplaceAllString(text, audit.Redacted)
}
