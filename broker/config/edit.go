package config

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pelletier/go-toml/v2"

	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// AddProfile adds [profiles.NAME] to the end of the configuration file at path
// and makes the file and its folder where they are missing. All other bytes,
// the mode and a symbolic link stay. It is an error if the profile is there.
func AddProfile(ctx context.Context, path, name string, p Profile) error {
	return editConfig(ctx, path, func(data []byte, c File) ([]byte, File, error) {
		if err := checkProfileName(name); err != nil {
			return nil, c, &problem.Problem{Msg: fmt.Sprintf("profile name %q %v", name, err), Code: problem.ExitUsage, Err: err}
		}
		if _, ok := c.Profiles[name]; ok {
			return nil, c, &problem.Problem{
				Msg:   fmt.Sprintf("profile %s is already in %s", name, path),
				Hints: []string{"mcpauth profile show " + name, "mcpauth profile remove " + name},
				Code:  problem.ExitUsage,
			}
		}
		if field, err := p.check(); err != nil {
			return nil, c, configProblem(path, fmt.Errorf("%s %w", field, err))
		}
		edited, err := appendProfile(data, name, p)
		c.Profiles = withProfile(c.Profiles, name, p)
		return edited, c, err
	})
}

// RemoveProfile removes everything of a profile from the file, wherever it
// stands, and default_profile if it names it. Comments around it stay.
func RemoveProfile(ctx context.Context, path, name string) error {
	return editConfig(ctx, path, func(data []byte, c File) ([]byte, File, error) {
		if _, ok := c.Profiles[name]; !ok {
			return nil, c, UnknownProfile(name, c.ProfileNames())
		}
		isDefault := c.DefaultProfile == name
		edited, err := cutProfile(data, name, isDefault)
		c.Profiles = withoutProfile(c.Profiles, name)
		if isDefault {
			c.DefaultProfile = ""
		}
		return edited, c, err
	})
}

// SetDefault makes a profile of the file the default one.
func SetDefault(ctx context.Context, path, name string) error {
	return editConfig(ctx, path, func(data []byte, c File) ([]byte, File, error) {
		if _, ok := c.Profiles[name]; !ok {
			return nil, c, UnknownProfile(name, c.ProfileNames())
		}
		edited, err := setTop(data, "default_profile", name)
		c.DefaultProfile = name
		return edited, c, err
	})
}

// withProfile and withoutProfile return a changed copy.
func withProfile(all map[string]Profile, name string, p Profile) map[string]Profile {
	changed := withoutProfile(all, name)
	changed[name] = p
	return changed
}

func withoutProfile(all map[string]Profile, name string) map[string]Profile {
	changed := map[string]Profile{}
	for k, v := range all {
		if k != name {
			changed[k] = v
		}
	}
	return changed
}

// editConfig changes the file under a lock. change gets the bytes and what they
// mean, and returns the new bytes and what these must mean: an edit that means
// anything else is not written.
func editConfig(ctx context.Context, path string, change func([]byte, File) ([]byte, File, error)) error {
	target, err := edit.Target(path)
	if err != nil {
		return problem.Unwritable(path, err)
	}
	unlock, err := sharedfile.Lock(ctx, path+".lock")
	if err != nil {
		return problem.Unwritable(path, err)
	}
	defer unlock()

	data, err := readConfig(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c, err := Parse(path, data)
	if err != nil {
		return err
	}
	mark := ""
	if bytes.HasPrefix(data, []byte(bom)) {
		mark = bom
	}
	edited, want, err := change(data[len(mark):], c)
	if err != nil {
		return err
	}
	if err := checkEdit(path, edited, want); err != nil {
		return err
	}
	if err := sharedfile.Replace(target, append([]byte(mark), edited...)); err != nil {
		return problem.Unwritable(path, err)
	}
	return nil
}

// checkEdit makes sure that an edit never leaves a file that does not load or
// that says more than was asked.
func checkEdit(path string, edited []byte, want File) error {
	got, err := Parse(path, edited)
	if err == nil {
		// Compared as TOML, in which an empty list and none are the same.
		gotTOML, gotErr := toml.Marshal(got)
		wantTOML, wantErr := toml.Marshal(want)
		if gotErr == nil && wantErr == nil && bytes.Equal(gotTOML, wantTOML) {
			return nil
		}
		err = cmp.Or(gotErr, wantErr, errors.New("more than the profile would change"))
	}
	return &problem.Problem{
		Msg:   fmt.Sprintf("%s is written in a way that mcpauth cannot edit (%v), so nothing was changed", path, err),
		Hints: []string{"edit it by hand: each profile is a table of its own, [profiles.NAME]"},
		Code:  problem.ExitError,
		Err:   err,
	}
}

// appendProfile adds a table after one empty line, and ends the file as it
// ended before: with a line end or without. cutProfile undoes both.
func appendProfile(data []byte, name string, p Profile) ([]byte, error) {
	body, err := toml.Marshal(p)
	if err != nil {
		return nil, err
	}
	return edit.AppendTOML(data, fmt.Sprintf("[profiles.%s]\n%s", edit.QuoteKey(name), body)), nil
}

// cutProfile removes the tables and keys of a profile, and default_profile too
// if it names the profile.
func cutProfile(data []byte, name string, isDefault bool) ([]byte, error) {
	paths := [][]string{{"profiles", name}}
	if isDefault {
		paths = append(paths, []string{"default_profile"})
	}
	return edit.CutTOML(data, paths...)
}

// setTop replaces the value of a key outside of tables, or adds it after the last
// of these, or before the first table and the comment on it.
func setTop(data []byte, key, value string) ([]byte, error) {
	keys, err := edit.ScanTOML(data)
	if err != nil {
		return nil, err
	}
	eol := edit.LineEnd(data)
	line := fmt.Sprintf("%s = %q", key, value)
	insert := func(at int, text string) []byte {
		return slices.Concat(data[:at], []byte(text), data[at:])
	}
	last := -1
	for _, k := range keys {
		switch {
		case k.Header:
			if last >= 0 {
				return insert(last, line+eol), nil
			}
			return insert(aboveComment(data, k.Start), line+eol+eol), nil
		case len(k.Path) == 1 && k.Path[0] == key:
			return slices.Concat(data[:k.ValueStart], fmt.Appendf(nil, "%q", value), data[k.ValueEnd:]), nil
		case k.Inline < 0:
			last = k.End
		}
	}
	return edit.EndWith(data, line), nil
}

// aboveComment returns where the comment lines directly above an offset begin.
func aboveComment(data []byte, at int) int {
	for at > 0 {
		start := bytes.LastIndexByte(data[:at-1], '\n') + 1
		if !bytes.HasPrefix(bytes.TrimLeft(data[start:at], " \t"), []byte("#")) {
			break
		}
		at = start
	}
	return at
}
