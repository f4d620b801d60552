package broker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/keychain"
)

// crashing is a store that works for a number of calls and then never again, as
// for a process that was killed.
type crashing struct {
	keychain.Store
	left *int
}

var errKilled = errors.New("killed")

func (c crashing) call() error {
	if *c.left--; *c.left < 0 {
		return errKilled
	}
	return nil
}

func (c crashing) Get(ctx context.Context, key string) (keychain.Secret, error) {
	if err := c.call(); err != nil {
		return keychain.Secret{}, err
	}
	return c.Store.Get(ctx, key)
}

func (c crashing) Set(ctx context.Context, key string, secret keychain.Secret) error {
	if err := c.call(); err != nil {
		return err
	}
	return c.Store.Set(ctx, key, secret)
}

func (c crashing) Delete(ctx context.Context, key string) error {
	if err := c.call(); err != nil {
		return err
	}
	return c.Store.Delete(ctx, key)
}

const movingProfiles = `# mine
[profiles.a]
issuer = "https://a.example.com"
client_id = "a"
client_secret = "keychain:a"
[profiles.b]
issuer = "https://b.example.com"
client_id = "b"
`

// moving is a broker with two profiles that are stored in old.
func moving(t *testing.T, old keychain.Store) (b *Broker, keys []string) {
	t.Helper()
	dir := t.TempDir()
	paths := config.Paths{ConfigFile: filepath.Join(dir, "config.toml"), StateDir: filepath.Join(dir, "state")}
	if err := os.WriteFile(paths.ConfigFile, []byte(movingProfiles), 0o600); err != nil {
		t.Fatal(err)
	}
	keys = append(identity.Keys(identity.Client{Profile: "a", Issuer: "https://a.example.com", ClientID: "a"}, "a"),
		identity.Keys(identity.Client{Profile: "b", Issuer: "https://b.example.com", ClientID: "b"}, "")...)
	for _, key := range keys {
		if err := old.Set(t.Context(), key, keychain.NewSecret("CANARY "+key)); err != nil {
			t.Fatal(err)
		}
	}
	return New(Options{Paths: paths, Store: old, Env: func(string) string { return "" }}), keys
}

// holds tells how many of the keys a store has, each with its own value.
func holds(t *testing.T, s keychain.Store, keys []string) (n int) {
	t.Helper()
	for _, key := range keys {
		secret, err := s.Get(context.Background(), key)
		switch {
		case err == nil && secret == keychain.NewSecret("CANARY "+key):
			n++
		case !errors.Is(err, keychain.ErrNotFound):
			t.Errorf("%s: %v", key, err)
		}
	}
	return n
}

func TestUseStore(t *testing.T) {
	t.Parallel()
	old, fresh := keychain.Memory(), keychain.Memory()
	b, keys := moving(t, old)
	done, err := b.Profiles().UseStore(t.Context(), old, fresh, config.StoreAge, false)
	if err != nil || len(done.Moved) != 2 || len(done.Left) != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if holds(t, fresh, keys) != 3 || holds(t, old, keys) != 0 {
		t.Errorf("%d are in the new store and %d in the old one", holds(t, fresh, keys), holds(t, old, keys))
	}
	file, err := b.Config()
	if err != nil || file.Store != config.StoreAge || len(file.Profiles) != 2 {
		t.Errorf("the configuration is %+v, %v", file, err)
	}
}

// Killed at any call of either store, a move leaves everything whole in the store
// that is configured then; started again, it comes to its end.
func TestUseStoreKilledAnywhere(t *testing.T) {
	t.Parallel()
	for calls := 0; ; calls++ {
		old, fresh, left := keychain.Memory(), keychain.Memory(), calls
		b, keys := moving(t, old)
		done, err := b.Profiles().UseStore(t.Context(), crashing{old, &left}, crashing{fresh, &left}, config.StoreAge, false)
		if err == nil && len(done.Left) == 0 {
			if calls < 9 {
				t.Errorf("the move made %d calls and cannot have done its work", calls)
			}
			return
		}
		file, loadErr := b.Config()
		if loadErr != nil {
			t.Fatal(loadErr)
		}
		inUse := old
		if name, _ := file.StoreName(); name == config.StoreAge {
			inUse = fresh
		}
		if (inUse == fresh) != (err == nil) {
			t.Errorf("killed after %d calls: error %v, and the store is %q", calls, err, file.Store)
		}
		if n := holds(t, inUse, keys); n != 3 {
			t.Errorf("killed after %d calls: the store in use has %d of 3", calls, n)
		}
		if inUse == fresh {
			if rest, err := b.Profiles().UseStore(t.Context(), old, fresh, config.StoreAge, false); err != nil || len(rest.Left) > 0 || holds(t, old, keys) != 0 {
				t.Errorf("killed after %d calls and cleaned: %v %v, %d are still there", calls, err, rest, holds(t, old, keys))
			}
		} else if _, err := b.Profiles().UseStore(t.Context(), old, fresh, config.StoreAge, false); err != nil || holds(t, fresh, keys) != 3 || holds(t, old, keys) != 0 {
			t.Errorf("killed after %d calls and started again: %v", calls, err)
		}
	}
}

// What cannot be read stays where it is until the user agrees to leave it behind.
func TestUseStoreWithoutTheOldOne(t *testing.T) {
	t.Parallel()
	for _, kind := range []keychain.Kind{keychain.Unavailable, keychain.Locked, keychain.Sealed} {
		b, _ := moving(t, keychain.Memory())
		if _, err := b.Profiles().UseStore(t.Context(), failing{kind}, keychain.Memory(), config.StoreAge, false); !errors.As(err, new(*UnreadableStoreError)) {
			t.Errorf("%v: %v", kind, err)
		}
		if file, err := b.Config(); err != nil || file.Store != "" {
			t.Errorf("%v: the store is %q, %v", kind, file.Store, err)
		}
		done, err := b.Profiles().UseStore(t.Context(), failing{kind}, keychain.Memory(), config.StoreAge, true)
		if err != nil || len(done.Moved) != 0 || len(done.Left) != 0 {
			t.Errorf("%v: %+v, %v", kind, done, err)
		}
		if file, err := b.Config(); err != nil || file.Store != config.StoreAge {
			t.Errorf("%v: the store is %q, %v", kind, file.Store, err)
		}
	}
}

func TestAbsentStoreHasNothingToDelete(t *testing.T) {
	t.Parallel()
	b, _ := moving(t, keychain.Memory())
	if err := config.SetStore(t.Context(), b.Paths.ConfigFile, config.StoreAge); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[keychain.Kind]bool{keychain.Unavailable: false, keychain.Locked: true} {
		done, err := b.Profiles().UseStore(t.Context(), failing{kind}, keychain.Memory(), config.StoreAge, false)
		if err != nil || (len(done.Left) > 0) != want {
			t.Errorf("%v: %+v, %v", kind, done, err)
		}
	}
}

type failing struct{ kind keychain.Kind }

func (f failing) Get(context.Context, string) (keychain.Secret, error) {
	return keychain.Secret{}, &keychain.Error{Op: "get", Kind: f.kind}
}
func (f failing) Set(context.Context, string, keychain.Secret) error {
	return &keychain.Error{Op: "set", Kind: f.kind}
}
func (f failing) Delete(context.Context, string) error {
	return &keychain.Error{Op: "delete", Kind: f.kind}
}
func (failing) Name() string { return "a store that fails" }

// sealedStore is an age file whose passphrase nobody knows.
type sealedStore struct{ keychain.Store }

func (sealedStore) Prepare(context.Context) error {
	return &keychain.Error{Op: "set", Kind: keychain.Sealed}
}

// A passphrase is asked for, and found wrong, before anybody signs in.
func TestLoginPreparesTheStoreFirst(t *testing.T) {
	b := New(Options{Paths: config.Paths{ConfigFile: filepath.Join(t.TempDir(), "c.toml"), StateDir: t.TempDir()}, Store: sealedStore{keychain.Memory()}, Env: func(string) string { return "" }})
	r, err := b.Resolve(config.Overrides{Issuer: "http://127.0.0.1:1", ClientID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = b.Login(t.Context(), r, LoginOptions{})
	if p := problem.Of(err); p.Code != problem.ExitKeychain {
		t.Errorf("%+v", p)
	}
}
