package broker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func (e *examination) checkConfig(context.Context) []Finding {
	file := e.b.Paths.ConfigFile
	if e.configErr != nil {
		return []Finding{foundError("MA111", e.configErr)}
	}
	var list []Finding
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		list = one("MA112", "there is no configuration file yet: "+file)
	} else {
		list = one("MA110", fmt.Sprintf("%s can be read and has %s", file, count(len(e.config.Profiles), "profile")))
	}
	if e.resolveErr != nil {
		if len(e.config.Profiles) == 0 && e.o.Overrides.Profile == "" {
			return list // said by MA112
		}
		return append(list, foundError("MA121", e.resolveErr))
	}
	list = append(list, found("MA120", fmt.Sprintf("profile %s signs in at %s as client %s", e.resolved.Name, e.resolved.Issuer, e.resolved.ClientID), ""))
	list = append(list, e.checkVariables()...)
	return append(list, e.checkPolicy())
}

// checkVariables tells of fields that an AI client's proxy would not have.
func (e *examination) checkVariables() []Finding {
	var fields []string
	for field, origin := range e.resolved.Origin {
		if origin == OriginEnvironment {
			fields = append(fields, field)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	slices.Sort(fields)
	return one("MA122", "variables of this shell set "+strings.Join(fields, ", ")+", and AI clients do not pass them on")
}

func (e *examination) checkPolicy() Finding {
	p, err := e.config.Policy(e.resolved)
	switch {
	case err != nil:
		return foundError("MA131", err)
	case p.None():
		return found("MA130", "there are no rules: whoever is signed in may call every tool", "")
	}
	return found("MA130", fmt.Sprintf("the policy %s can be read", orText(e.resolved.Policy, "of the profile")), "")
}

// checkProgram says what this program is, and whether it is the one that a
// terminal finds.
func (e *examination) checkProgram(context.Context) []Finding {
	list := one("MA810", fmt.Sprintf("mcpauth %s at %s", e.o.Version, orText(e.o.Executable, "an unknown place")))
	own, err := os.Stat(e.o.Executable)
	if err != nil {
		return list
	}
	name := filepath.Base(e.o.Executable)
	for _, dir := range filepath.SplitList(e.b.Env("PATH")) {
		other := filepath.Join(dir, name)
		info, err := os.Stat(other)
		if err != nil || info.IsDir() || info.Mode().Perm()&0o111 == 0 && e.goos != "windows" {
			continue
		}
		if !os.SameFile(own, info) {
			list = append(list, found("MA811", "the PATH finds "+other+" first", "this is "+e.o.Executable))
		}
		break
	}
	return list
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
