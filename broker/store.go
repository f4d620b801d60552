package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/keychain"
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
func (c Config) StoreName() (name string, origin Origin) {
	if c.Store == "" {
		return StoreKeychain, OriginDefault
	}
	return c.Store, OriginFile
}

// SetStore makes store the one that the configuration file names. Errors are
// *Problem.
func SetStore(ctx context.Context, path, store string) error {
	return editConfig(ctx, path, func(data []byte, c Config) ([]byte, Config, error) {
		if err := checkStore(store); err != nil {
			return nil, c, &Problem{Msg: err.Error(), Code: ExitUsage, Err: err}
		}
		edited, err := setTop(data, "store", store)
		c.Store = store
		return edited, c, err
	})
}

// Migration is what a move between stores did.
type Migration struct {
	Moved []string // profiles whose sign-in was moved
	Left  []error  // what could not be deleted in the old store; the move is done
}

// MigrateStore moves all that the configured profiles have in one store to
// another and makes that the configured one, called name. Everything is copied
// and read back before the configuration changes, in one step, and only then is
// the old deleted. So what the configured store holds is whole at any moment,
// and a move that was broken off can be started again. No proxy refreshes
// meanwhile; running ones follow. Errors are *Problem.
func (b *Broker) MigrateStore(ctx context.Context, from, to keychain.Store, name string) (Migration, error) {
	moves, err := b.moves()
	if err != nil {
		return Migration{}, err
	}
	for _, m := range moves {
		release, err := b.accounts.Hold(ctx, m.client)
		if err != nil {
			return Migration{}, AsProblem(err)
		}
		defer release()
	}
	var done Migration
	for _, m := range moves {
		moved, err := m.copy(ctx, from, to)
		if err != nil {
			return Migration{}, AsProblem(fmt.Errorf("profile %s stays where it is, as all others: %w", m.client.Profile, err))
		}
		if moved {
			done.Moved = append(done.Moved, m.client.Profile)
		}
	}
	if err := SetStore(ctx, b.Paths.ConfigFile, name); err != nil {
		return Migration{}, err
	}
	for _, m := range moves {
		done.Left = append(done.Left, m.leave(ctx, from)...)
		if err := b.accounts.Tell(m.client); err != nil {
			done.Left = append(done.Left, err)
		}
	}
	return done, nil
}

// move is what one profile has in a store.
type move struct {
	client identity.Client
	keys   []string
}

func (b *Broker) moves() ([]move, error) {
	config, err := b.Config()
	if err != nil {
		return nil, err
	}
	var moves []move
	for _, name := range config.namesWith(readOkta(b.Env)) {
		r, err := config.Resolve(Overrides{Profile: name}, b.Env)
		if err != nil {
			return nil, err
		}
		client := identity.Client{Profile: r.Name, Issuer: r.Issuer, ClientID: r.ClientID}
		moves = append(moves, move{client, identity.Keys(client, r.SecretName())})
	}
	return moves, nil
}

func (m move) copy(ctx context.Context, from, to keychain.Store) (moved bool, err error) {
	for _, key := range m.keys {
		secret, err := from.Get(ctx, key)
		if errors.Is(err, keychain.ErrNotFound) {
			continue
		}
		if err != nil {
			return moved, fmt.Errorf("reading from %s: %w", from.Name(), err)
		}
		if err := to.Set(ctx, key, secret); err != nil {
			return moved, fmt.Errorf("writing to %s: %w", to.Name(), err)
		}
		kept, err := to.Get(ctx, key)
		if err == nil && kept != secret {
			err = &keychain.Error{Op: "get", Kind: keychain.NotKept}
		}
		if err != nil {
			return moved, fmt.Errorf("reading back from %s: %w", to.Name(), err)
		}
		moved = true
	}
	return moved, nil
}

func (m move) leave(ctx context.Context, from keychain.Store) (left []error) {
	for _, key := range m.keys {
		if err := from.Delete(ctx, key); err != nil {
			left = append(left, fmt.Errorf("profile %s in %s: %w", m.client.Profile, from.Name(), err))
		}
	}
	return left
}

// CleanStore deletes what the configured profiles have in a store that is not in
// use, as a move leaves it that was broken off after the change. A store that
// cannot be reached has nothing to clean. Errors are *Problem.
func (b *Broker) CleanStore(ctx context.Context, unused keychain.Store) (left []error, err error) {
	moves, err := b.moves()
	if err != nil {
		return nil, err
	}
	for _, m := range moves {
		for _, err := range m.leave(ctx, unused) {
			var failure *keychain.Error
			if !errors.As(err, &failure) || failure.Kind != keychain.Unavailable && failure.Kind != keychain.NoKeyring {
				left = append(left, err)
			}
		}
	}
	return left, nil
}

// AbandonStore makes another store the configured one and leaves what the old one
// holds, which nobody may be able to open. Every profile is signed out. Errors
// are *Problem.
func (b *Broker) AbandonStore(ctx context.Context, name string) error {
	moves, err := b.moves()
	if err != nil {
		return err
	}
	if err := SetStore(ctx, b.Paths.ConfigFile, name); err != nil {
		return err
	}
	for _, m := range moves {
		if err := b.accounts.Tell(m.client); err != nil {
			return AsProblem(err)
		}
	}
	return nil
}
