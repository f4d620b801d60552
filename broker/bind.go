package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/mcpauth/mcpauth/keychain"
)

// Binding is a folder with the profile that is the default in it and below it.
// It is kept in the user's own state and never in the folder: a repository that
// somebody clones must not choose who learns of the user's sign-in.
type Binding struct {
	Dir     string `json:"dir"` // absolute, without symbolic links
	Profile string `json:"profile"`
}

// bindings is the file of all of them.
type bindings struct {
	Schema int               `json:"schema"`
	Dirs   map[string]string `json:"dirs"` // profile by folder
}

func (b *Broker) bindingsFile() string { return filepath.Join(b.Paths.StateDir, "bindings.json") }

// Bindings lists all bound folders in order. Errors are *Problem.
func (b *Broker) Bindings() ([]Binding, error) {
	all, err := b.readBindings()
	if err != nil {
		return nil, err
	}
	list := []Binding{}
	for _, dir := range slices.Sorted(maps.Keys(all.Dirs)) {
		list = append(list, Binding{dir, all.Dirs[dir]})
	}
	return list, nil
}

// Bind makes a profile the default one in a folder and below it, in place of the
// one that was. Errors are *Problem.
func (b *Broker) Bind(ctx context.Context, dir, profile string) (Binding, error) {
	config, err := b.Config()
	if err != nil {
		return Binding{}, err
	}
	if okta := readOkta(b.Env); !config.knows(profile, okta) {
		return Binding{}, unknownProfile(profile, config.namesWith(okta))
	}
	real, err := realFolder(dir)
	if err != nil {
		return Binding{}, &Problem{Msg: fmt.Sprintf("cannot bind %s: %v", dir, err), Code: ExitUsage, Err: err}
	}
	return Binding{real, profile}, b.editBindings(ctx, func(all map[string]string) error {
		all[real] = profile
		return nil
	})
}

// Unbind takes back a Bind of this very folder, which need not exist any more.
// Errors are *Problem.
func (b *Broker) Unbind(ctx context.Context, dir string) (Binding, error) {
	var was Binding
	return was, b.editBindings(ctx, func(all map[string]string) error {
		real, err := realFolder(dir)
		if err != nil {
			real = dir
		}
		for _, name := range []string{real, filepath.Clean(dir)} {
			if profile, bound := all[name]; bound {
				was = Binding{name, profile}
				delete(all, name)
				return nil
			}
		}
		return &Problem{Msg: dir + " is not bound to a profile", Hints: []string{"mcpauth profile bind --list"}, Code: ExitUsage}
	})
}

// boundAt returns the binding of a folder: its own, or that of the nearest
// folder above it. An empty one means that there is none.
func (b *Broker) boundAt(dir string) (Binding, error) {
	all, err := b.readBindings()
	if err != nil || len(all.Dirs) == 0 || dir == "" {
		return Binding{}, err
	}
	real, err := realFolder(dir)
	if err != nil {
		return Binding{}, nil // whoever starts something there will be told
	}
	for {
		if profile, bound := all.Dirs[real]; bound {
			return Binding{real, profile}, nil
		}
		above := filepath.Dir(real)
		if above == real {
			return Binding{}, nil
		}
		real = above
	}
}

// realFolder is the one name of a folder, whatever links lead there.
func realFolder(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		return "", reason(err)
	}
	info, err := os.Stat(real)
	if err == nil && !info.IsDir() {
		err = errors.New("it is no folder")
	}
	return real, reason(err)
}

// reason is an error without the path, which the caller names.
func reason(err error) error {
	var outer *fs.PathError
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// readBindings refuses a file that somebody else could have written: it decides
// where the user signs in.
func (b *Broker) readBindings() (bindings, error) {
	path := b.bindingsFile()
	all := bindings{Dirs: map[string]string{}}
	data, err := readConfig(path) // with the rules of the configuration file
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return all, err
	}
	err = json.Unmarshal(data, &all)
	if err == nil && all.Schema != 1 {
		err = fmt.Errorf("it has schema %d, and this mcpauth knows 1", all.Schema)
	}
	if err != nil {
		return all, &Problem{Msg: fmt.Sprintf("cannot read %s: %v", path, err),
			Hints: []string{"delete it and bind the folders again: mcpauth profile bind DIR --profile NAME"}, Code: ExitError, Err: err}
	}
	if all.Dirs == nil {
		all.Dirs = map[string]string{}
	}
	return all, nil
}

func (b *Broker) editBindings(ctx context.Context, edit func(map[string]string) error) error {
	path := b.bindingsFile()
	unlock, err := keychain.Lock(ctx, path+".lock")
	if err != nil {
		return AsProblem(err)
	}
	defer unlock()
	all, err := b.readBindings()
	if err != nil {
		return err
	}
	if err := edit(all.Dirs); err != nil {
		return err
	}
	all.Schema = 1
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return AsProblem(err)
	}
	if err := keychain.ReplaceFile(path, append(data, '\n')); err != nil {
		return &Problem{Msg: fmt.Sprintf("cannot write %s: %v", path, reason(err)), Code: ExitError, Err: err}
	}
	return nil
}
