package broker

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/mcpauth/mcpauth/keychain"
)

// maxFavourites bounds the file of the favourites, in bytes.
const maxFavourites = 256 << 10

// Favourites are the names of the tools that a person has put first: those of the
// server that is meant, of this profile. None is no error. Errors are *Problem.
func (b *Broker) Favourites(o Overrides) ([]string, error) {
	path, err := b.favouritesFile(o)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist) || err == nil && info.Size() > maxFavourites:
		return nil, nil
	case err != nil:
		return nil, AsProblem(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, AsProblem(err)
	}
	var kept struct{ Tools []string }
	_ = json.Unmarshal(data, &kept) // what cannot be read counts as not kept
	return kept.Tools, nil
}

// SetFavourites keeps the names of tools for [Broker.Favourites], and nothing else of
// them. Errors are *Problem.
func (b *Broker) SetFavourites(o Overrides, tools []string) error {
	path, err := b.favouritesFile(o)
	if err != nil {
		return err
	}
	data, err := json.Marshal(map[string]any{"schema": 1, "tools": tools})
	if err != nil {
		return AsProblem(err)
	}
	if len(data) > maxFavourites {
		return &Problem{Msg: "these are too many favourites to be kept", Code: ExitUsage}
	}
	if err := keychain.ReplaceFile(path, data); err != nil {
		return AsProblem(err)
	}
	return nil
}

// favouritesFile is where those of a profile and a server command are.
func (b *Broker) favouritesFile(o Overrides) (string, error) {
	r, err := b.Resolve(o)
	if NoProfile(err) {
		r.Name, r.Command, r.Cwd = nobodysName, o.Command, o.Cwd
	} else if err != nil {
		return "", err
	}
	return filepath.Join(b.Paths.StateDir, "favourites", listFile(r)), nil
}
