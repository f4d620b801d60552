package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
)

// StoreChange is what a change of the store did.
type StoreChange struct {
	Moved []string // profiles whose sign-in was taken along
	Left  []error  // what could not be deleted from the old store
}

// UseStore makes to, called name, the configured store. Unless it is that already,
// it takes along all that the configured profiles have in from: everything is copied
// and read back before the configuration changes, in one step, and only then is the
// old deleted. So what the configured store holds is whole at any moment, and a
// change that was broken off can be started again. No proxy refreshes meanwhile;
// running ones follow. With abandon what from holds stays there, and all profiles are
// signed out. An old store that cannot be read is an [UnreadableStoreError]; other
// errors are *problem.Problem.
func (p Profiles) UseStore(ctx context.Context, from, to keychain.Store, name string, abandon bool) (StoreChange, error) {
	file, err := p.b.Config()
	if err != nil {
		return StoreChange{}, err
	}
	moves, err := p.b.moves(file)
	if err != nil {
		return StoreChange{}, err
	}
	for _, m := range moves {
		release, err := p.b.accounts.Hold(ctx, m.client)
		if err != nil {
			return StoreChange{}, problem.Of(err)
		}
		defer release()
	}
	var done StoreChange
	current, _ := file.StoreName()
	if current != name && !abandon {
		if done.Moved, err = copyAll(ctx, moves, from, to); err != nil {
			return StoreChange{}, err
		}
	}
	if err := config.SetStore(ctx, p.b.Paths.ConfigFile, name); err != nil {
		return StoreChange{}, err
	}
	for _, m := range moves {
		if !abandon {
			done.Left = append(done.Left, m.leave(ctx, from)...)
		}
		if err := p.b.accounts.Tell(m.client); err != nil {
			done.Left = append(done.Left, err)
		}
	}
	return done, nil
}

// UnreadableStoreError says that the sign-ins of a store cannot be taken along.
type UnreadableStoreError struct{ Err error }

func (e *UnreadableStoreError) Error() string { return e.Err.Error() }

// Unwrap returns the store's own error.
func (e *UnreadableStoreError) Unwrap() error { return e.Err }

func copyAll(ctx context.Context, moves []move, from, to keychain.Store) (moved []string, err error) {
	for _, m := range moves {
		copied, err := m.copy(ctx, from, to)
		switch {
		case errors.As(err, new(*UnreadableStoreError)):
			return nil, err
		case err != nil:
			return nil, problem.Of(fmt.Errorf("profile %s stays where it is, as all others: %w", m.client.Profile, err))
		case copied:
			moved = append(moved, m.client.Profile)
		}
	}
	return moved, nil
}

// move is what one profile has in a store.
type move struct {
	client identity.Client
	keys   []string
}

func (b *Broker) moves(file config.File) ([]move, error) {
	var moves []move
	for _, name := range file.NamesIn(b.Env) {
		r, err := file.Resolve(config.Overrides{Profile: name}, b.Env)
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
			return moved, &UnreadableStoreError{fmt.Errorf("reading from %s: %w", from.Name(), err)}
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
		if err := from.Delete(ctx, key); err != nil && !isAbsent(err) {
			left = append(left, fmt.Errorf("profile %s in %s: %w", m.client.Profile, from.Name(), err))
		}
	}
	return left
}

// isAbsent reports whether there is no store of that kind on this machine.
func isAbsent(err error) bool {
	var failure *keychain.Error
	return errors.As(err, &failure) && (failure.Kind == keychain.Unavailable || failure.Kind == keychain.NoKeyring)
}
