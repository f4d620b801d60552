package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/text"
)

func (e *examination) checkConfig(context.Context) []Finding {
	file := e.Paths.ConfigFile
	if e.configErr != nil {
		return []Finding{foundError("MA111", e.configErr)}
	}
	var list []Finding
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		list = one("MA112", "there is no configuration file yet: "+file)
	} else {
		list = one("MA110", fmt.Sprintf("%s can be read and has %s", file, text.Count(len(e.config.Profiles), "profile")))
	}
	if e.resolveErr != nil {
		if len(e.config.Profiles) == 0 && e.Overrides.Profile == "" {
			return list // said by MA112
		}
		return append(list, foundError("MA121", e.resolveErr))
	}
	list = append(list, found("MA120", fmt.Sprintf("profile %s signs in at %s as client %s", e.resolved.Name, e.resolved.Issuer, e.resolved.ClientID), ""))
	list = append(list, e.checkVariables()...)
	return append(list, e.checkPolicy())
}

// checkVariables finds fields that an AI client's proxy would not have.
func (e *examination) checkVariables() []Finding {
	var fields []string
	for field, origin := range e.resolved.Origin {
		if origin == config.OriginEnvironment {
			fields = append(fields, field)
		}
	}
	lost := e.resolved.LostVariables(e.Env)
	if len(fields)+len(lost) == 0 {
		return nil
	}
	slices.Sort(fields)
	what := "variables of this shell set " + strings.Join(fields, ", ")
	if len(fields) == 0 {
		what = "this shell reaches the provider by variables"
	}
	if len(lost) > 0 {
		what += " (" + strings.Join(lost, ", ") + ")"
	}
	return one("MA122", what+", and AI clients do not pass them on")
}

func (e *examination) checkPolicy() Finding {
	p, _, err := e.config.Policy(e.resolved)
	switch {
	case err != nil:
		return foundError("MA131", err)
	case p.None():
		return found("MA130", "there are no rules: every signed-in user may call every tool", "")
	}
	return found("MA130", fmt.Sprintf("the policy %s can be read", orText(e.resolved.Policy, "of the profile")), "")
}

// checkProgram says what this program is, and whether it is the one that a
// terminal finds.
func (e *examination) checkProgram(context.Context) []Finding {
	list := one("MA810", fmt.Sprintf("mcpauth %s at %s", e.Version, orText(e.Executable, "an unknown place")))
	own, err := os.Stat(e.Executable)
	if err != nil {
		return list
	}
	name := filepath.Base(e.Executable)
	for _, dir := range filepath.SplitList(e.Env("PATH")) {
		other := filepath.Join(dir, name)
		info, err := os.Stat(other)
		if err != nil || info.IsDir() || info.Mode().Perm()&0o111 == 0 && e.goos != "windows" {
			continue
		}
		if !os.SameFile(own, info) {
			list = append(list, found("MA811", "the PATH finds "+other+" first", "this is "+e.Executable))
		}
		break
	}
	return list
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
