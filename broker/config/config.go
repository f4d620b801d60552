// Package config is the configuration file: profiles, the layers above and below
// them, edits that keep every other byte, and the kinds of providers.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// maxConfigSize bounds what is read as a configuration, in bytes: a device or
// a log file given by mistake must not fill the memory.
const maxConfigSize = 1 << 20

// SecretRef begins a client_secret that names an entry of the keychain.
const SecretRef = "keychain:"

// File is the configuration file. The zero File is that of a missing file.
type File struct {
	DefaultProfile string             `toml:"default_profile"`           // name of the profile used when none is asked for
	Store          string             `toml:"store,omitempty"`           // StoreKeychain or StoreAge; empty means StoreKeychain
	PassphraseFile string             `toml:"passphrase_file,omitempty"` // absolute path of a file that holds the age file's passphrase alone
	Defaults       Profile            `toml:"defaults"`                  // stands below every profile
	Profiles       map[string]Profile `toml:"profiles,omitempty"`        // by name
	Audit          Audit              `toml:"audit,omitempty"`           // how the record of calls is kept

	path     string                    // where it was read from, for messages
	policies map[string]*policy.Policy // of the profiles that have rules in their own table
}

// Profile is one account at one provider, and the server behind it. An empty
// field is one that is not set. The toml names are the file's.
type Profile struct {
	Issuer       string   `toml:"issuer,omitempty"`        // exactly as the provider spells it; https, or http on loopback
	MetadataURL  string   `toml:"metadata_url,omitempty"`  // where the provider's metadata is, when not below the issuer
	ClientID     string   `toml:"client_id,omitempty"`     // client_id
	ClientSecret string   `toml:"client_secret,omitempty"` // only "keychain:NAME", never the secret itself
	Scopes       []string `toml:"scopes,omitempty"`        // RFC 6749 3.3
	RedirectURIs []string `toml:"redirect_uris,omitempty"` // loopback http, tried in order
	Audience     string   `toml:"audience,omitempty"`      // "audience" of the authorization request
	Resource     string   `toml:"resource,omitempty"`      // "resource" of RFC 8707
	Command      []string `toml:"command,omitempty"`       // the MCP server, when no command is given
	Cwd          string   `toml:"cwd,omitempty"`           // absolute folder in which it is started
	UserContext  string   `toml:"user_context,omitempty"`  // "auto", "always" or "never" (design, section 4)
	Policy       string   `toml:"policy,omitempty"`        // absolute path of the policy file (docs/policy.md)

	Provider         string `toml:"provider,omitempty"`           // kind of provider, one of KindNames; else guessed by the issuer
	OfflineAccess    string `toml:"offline_access,omitempty"`     // how a refresh token is asked for, an identity.Offline
	Grant            string `toml:"grant,omitempty"`              // "authorization_code", or "client_credentials" for a machine
	ClientSecretFile string `toml:"client_secret_file,omitempty"` // absolute path of a file that holds the client secret alone
	GroupsClaim      string `toml:"groups_claim,omitempty"`       // claim that holds the groups; a dot leads into an object
	RolesClaim       string `toml:"roles_claim,omitempty"`        // the same for roles
	TrustEmail       *bool  `toml:"trust_email,omitempty"`        // every address of the provider counts for rules; nil: only verified ones
	IdleLimit        string `toml:"idle_limit,omitempty"`         // time without a call that ends the sign-in, like "30m"
	AbsoluteLimit    string `toml:"absolute_limit,omitempty"`     // time since the sign-in that ends it, like "12h" or "7d"
	CAFile           string `toml:"ca_file,omitempty"`            // absolute path of certificates (PEM) that are trusted beside the system's
	Proxy            string `toml:"proxy,omitempty"`              // HTTP proxy to the provider, as "http://proxy.example.com:8080"
}

// SecretName returns NAME of a client_secret "keychain:NAME", or "" when the
// profile has none.
func (p Profile) SecretName() string { return strings.TrimPrefix(p.ClientSecret, SecretRef) }

// SecretShared reports whether another profile names the same client secret.
func (c File) SecretShared(name, ref string) bool {
	for other, p := range c.Profiles {
		if other != name && p.SecretName() == ref {
			return true
		}
	}
	return false
}

// ProfileNames returns the names of the file's profiles in order.
func (c File) ProfileNames() []string {
	names := make([]string, 0, len(c.Profiles))
	for name := range c.Profiles {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Load reads the configuration file. A missing file is an empty
// configuration. A file that another user owns or may write is refused on Unix:
// who writes it chooses the provider and the command. Errors are *problem.Problem.
func Load(path string) (File, error) {
	data, err := readConfig(path)
	if errors.Is(err, fs.ErrNotExist) {
		return File{path: path}, nil
	}
	if err != nil {
		return File{}, err
	}
	return Parse(path, data)
}

// readConfig returns the bytes of the file, or fs.ErrNotExist.
func readConfig(path string) ([]byte, error) {
	// Looked at before it is opened: opening a FIFO would wait for a writer.
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		return nil, problem.Unreadable(path, err)
	}
	f, err := sharedfile.Open(path, 0)
	if err != nil {
		return nil, problem.Unreadable(path, err)
	}
	defer f.Close()
	// The rights are those of the open file: the name may point elsewhere by now.
	if info, err = f.Stat(); err != nil {
		return nil, problem.Unreadable(path, err)
	}
	if err := checkOwner(path, info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxConfigSize+1))
	if err == nil && len(data) > maxConfigSize {
		err = fmt.Errorf("it is larger than %d bytes", maxConfigSize)
	}
	if err != nil {
		return nil, problem.Unreadable(path, err)
	}
	return data, nil
}

// Parse reads a configuration from bytes; path is for messages. Unknown
// keys, wrong types and bad values are refused with file and line. Errors are
// *problem.Problem and never quote a value of client_secret.
func Parse(path string, data []byte) (File, error) {
	data = bytes.TrimPrefix(data, []byte(bom))
	keys, err := edit.ScanTOML(data)
	if err != nil {
		return File{}, configProblem(path, err)
	}
	lines := map[string]int{}
	for _, k := range keys {
		if err := checkKey(k); err != nil {
			return File{}, configProblem(path, err)
		}
		for i := range k.Path { // a dotted key also tells where its tables stand
			prefix := strings.Join(k.Path[:i+1], "\x00")
			if _, ok := lines[prefix]; !ok {
				lines[prefix] = k.Line
			}
		}
	}
	c := File{path: path}
	// What is left for the decoder to find are tables and keys set twice.
	if err := toml.Unmarshal(data, &c); err != nil {
		return File{}, configProblem(path, edit.DecodeError(err))
	}
	if err := c.checkValues(lines); err != nil {
		return File{}, configProblem(path, err)
	}
	if c.policies, err = policy.Inline(data, keys, identity.OtherClaim); err != nil {
		return File{}, configProblem(path, err)
	}
	return c, nil
}

// checkValues validates every value; lines tells where each key stands.
func (c File) checkValues(lines map[string]int) error {
	at := func(path ...string) int { return lines[strings.Join(path, "\x00")] }
	check := func(p Profile, path ...string) error {
		field, err := p.check()
		if err == nil {
			return nil
		}
		return edit.ErrorAt(at(append(path, field)...), fmt.Errorf("%s %w", field, err))
	}
	for field, value := range map[string]string{
		"client_secret": c.Defaults.ClientSecret, "client_secret_file": c.Defaults.ClientSecretFile,
	} {
		if value != "" {
			return edit.ErrorAt(at("defaults", field), fmt.Errorf(
				"%s belongs to one client: put it under [profiles.NAME], not under [defaults]", field))
		}
	}
	if err := check(c.Defaults, "defaults"); err != nil {
		return err
	}
	if field, err := c.Audit.check(); err != nil {
		return edit.ErrorAt(at("audit", field), fmt.Errorf("%s %w", field, err))
	}
	if c.DefaultProfile != "" {
		if err := checkProfileName(c.DefaultProfile); err != nil {
			return edit.ErrorAt(at("default_profile"), fmt.Errorf("default_profile %w", err))
		}
	}
	if err := checkStore(c.Store); err != nil {
		return edit.ErrorAt(at("store"), err)
	}
	if c.PassphraseFile != "" {
		if err := checkCwd(c.PassphraseFile); err != nil {
			return edit.ErrorAt(at("passphrase_file"), fmt.Errorf("passphrase_file %w", err))
		}
	}
	folded := map[string]string{}
	for _, name := range c.ProfileNames() {
		if err := checkProfileName(name); err != nil {
			return edit.ErrorAt(at("profiles", name), fmt.Errorf("profile name %q %w", name, err))
		}
		// Their state files would be the same file on macOS and Windows.
		if twin, ok := folded[strings.ToLower(name)]; ok {
			return edit.ErrorAt(at("profiles", name), fmt.Errorf("profiles %q and %q differ only by case: rename one", twin, name))
		}
		folded[strings.ToLower(name)] = name
		if err := check(c.Profiles[name], "profiles", name); err != nil {
			return err
		}
	}
	return nil
}

// configProblem says where in the file an error is.
func configProblem(path string, err error) *problem.Problem {
	p := &problem.Problem{Code: problem.ExitError, Err: err}
	var at *edit.LineError
	if errors.As(err, &at) {
		p.Msg = fmt.Sprintf("%s:%d: %v", path, at.Line, err)
	} else {
		p.Msg = fmt.Sprintf("%s: %v", path, err)
	}
	var literal *literalSecretError
	if errors.As(err, &literal) {
		p.Hints = []string{"keep the secret in the keychain: mcpauth profile add NAME --client-secret-stdin"}
	}
	return p
}
