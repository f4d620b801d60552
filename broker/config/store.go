package config

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcpauth/mcpauth/broker/problem"
)

// The stores that the configuration file can name. Memory is none of them: it is
// this process only, so a sign-in there is one that no proxy ever sees.
const (
	StoreKeychain = "keychain" // the operating system's, also where the file names none
	StoreAge      = "age"      // files that a passphrase opens
)

func checkStore(name string) error {
	switch name {
	case "", StoreKeychain, StoreAge:
		return nil
	case "memory":
		return errors.New(`store cannot be "memory": that is gone when a command ends, and only mcpauth demo has use for it`)
	}
	return fmt.Errorf(`store must be %q or %q, not %q`, StoreKeychain, StoreAge, name)
}

// StoreName is the store that the configuration names, with the reason.
func (c File) StoreName() (name string, origin Origin) {
	if c.Store == "" {
		return StoreKeychain, OriginDefault
	}
	return c.Store, OriginFile
}

// SetStore makes store the one that the configuration file names. Errors are
// *problem.Problem.
func SetStore(ctx context.Context, path, store string) error {
	return editConfig(ctx, path, func(data []byte, c File) ([]byte, File, error) {
		if err := checkStore(store); err != nil {
			return nil, c, &problem.Problem{Msg: err.Error(), Code: problem.ExitUsage, Err: err}
		}
		edited, err := setTop(data, "store", store)
		c.Store = store
		return edited, c, err
	})
}
