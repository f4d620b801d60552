package clients

import (
	"fmt"
	"slices"
	"strings"
)

// ShortPath is the PATH of programs that a desktop starts, as far as the operating
// system sets it: no shell has added to it. Windows gives all programs the same.
func ShortPath(goos string) string {
	switch goos {
	case "windows":
		return ""
	case "darwin":
		return "/usr/bin:/bin:/usr/sbin:/sbin" // of launchd
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" // of systemd
}

// sharedNames are variables that mcpauth reads as its server does.
var sharedNames = []string{"BROWSER", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}

// sharedVariables are those of an entry that mcpauth reads, or might be thought to.
func sharedVariables(names []string) (okta, other []string) {
	for _, name := range names {
		switch upper := strings.ToUpper(name); {
		case strings.HasPrefix(upper, "OKTA_"), upper == "OAUTH_REDIRECT_URI":
			okta = append(okta, name)
		case slices.Contains(sharedNames, upper):
			other = append(other, name)
		}
	}
	return okta, other
}

// SharedNote says what becomes of the variables of an entry; empty where there is
// nothing to say.
func SharedNote(server string, names []string) string {
	okta, other := sharedVariables(names)
	var notes []string
	if len(okta) > 0 {
		notes = append(notes, fmt.Sprintf("%s of the entry %s: the server gets them, and they change no profile of mcpauth", strings.Join(okta, ", "), server))
	}
	if len(other) > 0 {
		notes = append(notes, fmt.Sprintf("%s of the entry %s: the server gets them, and mcpauth uses them too, unless its profile has ca_file and proxy", strings.Join(other, ", "), server))
	}
	return strings.Join(notes, "; ")
}
