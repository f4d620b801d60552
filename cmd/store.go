package cmd

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

	"github.com/spf13/cobra"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/keychain"
)

// configuredStore is the store that the configuration file names now. A running
// proxy follows a move to another store, so the file is looked at each time.
type configuredStore struct {
	app      *app
	paths    broker.Paths
	patience time.Duration

	mu      sync.Mutex
	chosen  string      // by init, whose file does not name it yet; else empty
	seen    fs.FileInfo // of the file as it was last read; nil for none
	current keychain.Store
	opened  map[string]keychain.Store
}

func (a *app) configuredStore(paths broker.Paths, patience time.Duration) *configuredStore {
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
	config, err := broker.LoadConfig(s.paths.ConfigFile)
	if err != nil {
		if s.current != nil {
			return s.current, nil
		}
		return nil, err
	}
	name, _ := config.StoreName()
	name = cmp.Or(s.chosen, name)
	s.seen, s.current = info, s.open(name, config)
	return s.current, nil
}

func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// open returns the one store of this process by that name.
func (s *configuredStore) open(name string, config broker.Config) keychain.Store {
	if s.opened[name] == nil {
		s.opened[name] = s.app.openStore(name, config, s.paths, s.patience)
	}
	return s.opened[name]
}

func (a *app) openStore(name string, config broker.Config, paths broker.Paths, patience time.Duration) keychain.Store {
	switch {
	case name == broker.StoreAge:
	case patience == keychainPatienceProxy:
		return a.deps.Keychain(patience)
	default:
		return a.patient(a.deps.Keychain(patience))
	}
	// A proxy's standard input is the AI client's, terminal or not.
	person := patience != keychainPatienceProxy
	return keychain.Age(filepath.Join(paths.StateDir, "secrets"), func(ctx context.Context, create bool) (keychain.Secret, error) {
		return a.passphrase(ctx, config.PassphraseFile, create, person)
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
func (a *app) passphrase(ctx context.Context, file string, create, person bool) (secret keychain.Secret, err error) {
	terminal, _ := a.In.(*os.File)
	switch {
	case a.passphraseTaken:
		secret = a.passphraseRead
	case file != "":
		secret, err = keychain.ReadFile(file)
	case !person || !isTerminal(a.In):
		return secret, errors.New("nobody is there to type its passphrase, and neither passphrase_file nor --passphrase-fd gives it")
	default:
		secret, err = a.typedPassphrase(ctx, terminal, create)
	}
	return secret, err
}

// takePassphrase reads the descriptor of --passphrase-fd, once and before
// anything is started: a server that inherits it could read it instead.
func (a *app) takePassphrase(patience time.Duration) error {
	if a.passphraseFD < 0 || a.passphraseTaken {
		return nil
	}
	if a.passphraseFD <= 2 && patience == keychainPatienceProxy {
		return usage("the descriptors 0 to 2 of a proxy are taken by its AI client", "mcpauth proxy --passphrase-fd 3 … 3<FILE")
	}
	file := os.NewFile(uintptr(a.passphraseFD), "passphrase")
	if file == nil {
		return usage(fmt.Sprintf("--passphrase-fd: there is no descriptor %d", a.passphraseFD))
	}
	defer file.Close()
	secret, err := keychain.ReadSecret(file)
	if err != nil {
		return usage(fmt.Sprintf("--passphrase-fd %d: %v", a.passphraseFD, err), "mcpauth status --passphrase-fd 3 3<FILE")
	}
	a.passphraseRead, a.passphraseTaken = secret, true
	return nil
}

func (a *app) typedPassphrase(ctx context.Context, terminal *os.File, create bool) (keychain.Secret, error) {
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

func (a *app) typed(ctx context.Context, terminal *os.File, prompt string) (keychain.Secret, error) {
	line, err := a.hidden(ctx, terminal, prompt)
	if err != nil {
		return keychain.Secret{}, fmt.Errorf("the passphrase cannot be read: %w", err)
	}
	return keychain.NewSecret(line), nil
}

// chooseStore is `login --store`: it sets the store of a configuration that has
// none yet, and no profile whose sign-in would be left behind.
func (a *app) chooseStore(ctx context.Context, b *broker.Broker, store string) error {
	other, err := a.otherStore(b, store)
	if err != nil || other == "" {
		return err
	}
	return broker.SetStore(ctx, b.Paths.ConfigFile, other)
}

// otherStore is the store of --store, if it may be set and is not the one in use;
// else it is empty.
func (a *app) otherStore(b *broker.Broker, store string) (string, error) {
	switch store {
	case "", broker.StoreKeychain, broker.StoreAge:
	case "memory":
		return "", usage("a sign-in in memory is gone as soon as this command ends, and no proxy would ever see it",
			"mcpauth demo                       uses memory where there is no keychain",
			"mcpauth init --store age           keeps the tokens in a file that a passphrase opens")
	default:
		return "", usage("--store must be keychain or age, not "+store, "mcpauth store show")
	}
	config, err := b.Config()
	if err != nil {
		return "", err
	}
	now, _ := config.StoreName()
	switch {
	case store == "" || now == store:
		return "", nil
	case config.Store != "" || len(config.Profiles) > 0:
		return "", usage("all profiles keep their tokens in one store, which is not "+store, "mcpauth store migrate --to "+store)
	}
	return store, nil
}

func newStore(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "store",
		Short: "Where the tokens are kept, and moving them elsewhere",
		Long: "The tokens of all profiles are in the keychain of the operating system, or, by\n" +
			"your choice, in an age file that a passphrase opens. mcpauth never changes from\n" +
			"one to the other by itself.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newStoreShow(a), newStoreMigrate(a))
	return c
}

func newStoreShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Which store is in use, and why",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := a.broker(keychainPatience)
			if err != nil {
				return err
			}
			config, err := b.Config()
			if err != nil {
				return err
			}
			name, origin := config.StoreName()
			a.done(map[string]any{"store": name, "origin": origin, "stored_in": b.Store.Name(), "passphrase_file": config.PassphraseFile},
				"%s  (%s)", b.Store.Name(), storeReason(origin, b.Paths.ConfigFile))
			return nil
		},
	}
}

// whyStore is the reason for people why the tokens are where they are.
func (a *app) whyStore(b *broker.Broker) string {
	config, err := b.Config()
	if err != nil {
		return "the configuration cannot be read"
	}
	_, origin := config.StoreName()
	return storeReason(origin, b.Paths.ConfigFile)
}

// storeReason says why a store is the one in use.
func storeReason(origin broker.Origin, file string) string {
	if origin == broker.OriginDefault {
		return "the default: no store is configured"
	}
	return "store in " + file
}

func newStoreMigrate(a *app) *cobra.Command {
	var to string
	var abandon bool
	c := &cobra.Command{
		Use:   "migrate --to keychain|age",
		Short: "Move the tokens and client secrets of all profiles to another store",
		Long: "Copies everything, reads it back, makes the other store the configured one and\n" +
			"only then deletes the old. Running proxies follow. With --abandon nothing is\n" +
			"copied, for when the old store cannot be opened any more: sign in again then.",
		Example: "  mcpauth store migrate --to age",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if to != broker.StoreKeychain && to != broker.StoreAge {
				return usage("--to must be keychain or age", "mcpauth store migrate --to age")
			}
			return a.migrate(c.Context(), to, abandon)
		},
	}
	c.Flags().StringVar(&to, "to", "", "the store to move to: keychain or age")
	c.Flags().BoolVar(&abandon, "abandon", false, "leave what the old store holds; all profiles are signed out")
	return c
}

func (a *app) migrate(ctx context.Context, to string, abandon bool) error {
	b, err := a.broker(keychainPatience)
	if err != nil {
		return err
	}
	config, err := b.Config()
	if err != nil {
		return err
	}
	from := broker.StoreKeychain
	if to == broker.StoreKeychain {
		from = broker.StoreAge
	}
	old := a.openStore(from, config, b.Paths, keychainPatience)
	target := a.openStore(to, config, b.Paths, keychainPatience)
	now, _ := config.StoreName()
	var result broker.Migration
	switch {
	case now == to: // perhaps the last move was broken off before its end
		result.Left, err = b.CleanStore(ctx, old)
	case abandon:
		err = b.AbandonStore(ctx, to)
	default:
		result, err = b.MigrateStore(ctx, old, target, to)
	}
	if err != nil {
		return err
	}
	left := []string{}
	for _, err := range result.Left {
		left = append(left, err.Error())
		a.say("mcpauth: not deleted: %s", printable(err.Error()))
	}
	a.done(map[string]any{"store": to, "moved": append([]string{}, result.Moved...), "left": left},
		"✓ The tokens are in: %s. Sign-ins moved: %d", target.Name(), len(result.Moved))
	return nil
}
