package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/keychain"
)

// configuredStore is the store that the configuration file names now. A running
// proxy follows a move to another store, so the file is looked at each time.
type configuredStore struct {
	app      *App
	paths    config.Paths
	patience time.Duration

	mu      sync.Mutex
	chosen  string      // by init, whose file does not name it yet; else empty
	seen    fs.FileInfo // of the file as it was last read; nil for none
	current keychain.Store
	opened  map[string]keychain.Store
}

func (a *App) configuredStore(paths config.Paths, patience time.Duration) *configuredStore {
	return &configuredStore{app: a, paths: paths, patience: patience, opened: map[string]keychain.Store{}}
}

// now returns the store. A configuration that cannot be read any more leaves the
// one that was in use; one that never could is an error, not the default.
func (s *configuredStore) now() (keychain.Store, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.paths.ConfigFile)
	if err != nil {
		info = nil
	}
	if s.current != nil && sameFile(s.seen, info) {
		return s.current, nil
	}
	file, err := config.Load(s.paths.ConfigFile)
	if err != nil {
		if s.current != nil {
			return s.current, nil
		}
		return nil, err
	}
	name, _ := file.StoreName()
	name = cmp.Or(s.chosen, name)
	s.seen, s.current = info, s.open(name, file)
	return s.current, nil
}

// PreferStore has a broker use this store where the configuration names none yet.
func PreferStore(b *broker.Broker, name string) {
	if store, ok := b.Store.(*configuredStore); ok {
		store.chosen = name
	}
}

func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// open returns the one store of this process by that name.
func (s *configuredStore) open(name string, file config.File) keychain.Store {
	if s.opened[name] == nil {
		s.opened[name] = s.app.OpenStore(name, file, s.paths, s.patience)
	}
	return s.opened[name]
}

func (a *App) OpenStore(name string, file config.File, paths config.Paths, patience time.Duration) keychain.Store {
	switch {
	case name == config.StoreAge:
	case patience == PatienceProxy:
		return a.Deps.Keychain(patience)
	default:
		return a.patient(a.Deps.Keychain(patience))
	}
	// A proxy's standard input is the AI client's, terminal or not.
	person := patience != PatienceProxy
	return keychain.Age(filepath.Join(paths.StateDir, "secrets"), func(ctx context.Context, create bool) (keychain.Secret, error) {
		return a.passphrase(ctx, file.PassphraseFile, create, person)
	})
}

// Get implements keychain.Store, as the next three do.
func (s *configuredStore) Get(ctx context.Context, key string) (keychain.Secret, error) {
	store, err := s.now()
	if err != nil {
		return keychain.Secret{}, err
	}
	return store.Get(ctx, key)
}

func (s *configuredStore) Set(ctx context.Context, key string, secret keychain.Secret) error {
	store, err := s.now()
	if err != nil {
		return err
	}
	return store.Set(ctx, key, secret)
}

func (s *configuredStore) Delete(ctx context.Context, key string) error {
	store, err := s.now()
	if err != nil {
		return err
	}
	return store.Delete(ctx, key)
}

// Prepare implements keychain.Preparer.
func (s *configuredStore) Prepare(ctx context.Context) error {
	store, err := s.now()
	if err != nil {
		return err
	}
	if store, ok := store.(keychain.Preparer); ok {
		return store.Prepare(ctx)
	}
	return nil
}

func (s *configuredStore) Name() string {
	store, err := s.now()
	if err != nil {
		return "unknown, since the configuration cannot be read"
	}
	return store.Name()
}

// passphrase opens the age store: from --passphrase-fd, else from the file that
// the configuration names, else from the person at the terminal.
func (a *App) passphrase(ctx context.Context, file string, create, person bool) (secret keychain.Secret, err error) {
	terminal, _ := a.In.(*os.File)
	switch {
	case a.passphraseTaken:
		secret = a.passphraseRead
	case file != "":
		secret, err = keychain.ReadFile(file)
	case !person || !IsTerminal(a.In):
		return secret, errors.New("nobody is there to type its passphrase, and neither passphrase_file nor --passphrase-fd gives it")
	default:
		secret, err = a.typedPassphrase(ctx, terminal, create)
	}
	return secret, err
}

// takePassphrase reads the descriptor of --passphrase-fd, once and before
// anything is started: a server that inherits it could read it instead.
func (a *App) takePassphrase(patience time.Duration) error {
	if a.passphraseFD < 0 || a.passphraseTaken {
		return nil
	}
	if a.passphraseFD <= 2 && patience == PatienceProxy {
		return Usage("the descriptors 0 to 2 of a proxy are taken by its AI client", "mcpauth proxy --passphrase-fd 3 … 3<FILE")
	}
	file := os.NewFile(uintptr(a.passphraseFD), "passphrase")
	if file == nil {
		return Usage(fmt.Sprintf("--passphrase-fd: there is no descriptor %d", a.passphraseFD))
	}
	defer file.Close()
	secret, err := keychain.ReadSecret(file)
	if err != nil {
		return Usage(fmt.Sprintf("--passphrase-fd %d: %v", a.passphraseFD, err), "mcpauth status --passphrase-fd 3 3<FILE")
	}
	a.passphraseRead, a.passphraseTaken = secret, true
	return nil
}

func (a *App) typedPassphrase(ctx context.Context, terminal *os.File, create bool) (keychain.Secret, error) {
	first, err := a.typed(ctx, terminal, "Passphrase of mcpauth's age file: ")
	if err != nil || !create {
		return first, err
	}
	again, err := a.typed(ctx, terminal, "It is new. The same once more: ")
	if err == nil && again != first {
		err = errors.New("the two passphrases differ")
	}
	return first, err
}

func (a *App) typed(ctx context.Context, terminal *os.File, prompt string) (keychain.Secret, error) {
	line, err := a.hidden(ctx, terminal, prompt)
	if err != nil {
		return keychain.Secret{}, fmt.Errorf("the passphrase cannot be read: %w", err)
	}
	return keychain.NewSecret(line), nil
}
