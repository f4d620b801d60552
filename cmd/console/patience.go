package console

import (
	"context"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/keychain"
)

// patienceTold is how long the keychain may be silent before a person hears that
// it is what everything waits for.
const patienceTold = 2 * time.Second

// patientStore is a keychain that may ask a person for something. What it asks
// can be behind another window, or on a screen that nobody looks at.
type patientStore struct {
	keychain.Store
	after time.Duration
	tell  func(store string)
	once  sync.Once
}

func (a *App) patient(store keychain.Store) keychain.Store {
	return &patientStore{Store: store, after: patienceTold, tell: func(name string) {
		if !a.Silent {
			a.Say("Waiting for the keychain (%s), which may have a question for you behind another window (ctrl+c to stop)", name)
		}
	}}
}

// waits tells of the wait until the returned function is called.
func (s *patientStore) waits() (end func()) {
	timer := time.AfterFunc(s.after, func() { s.once.Do(func() { s.tell(s.Name()) }) })
	return func() { timer.Stop() }
}

// Get implements keychain.Store, as the next two do.
func (s *patientStore) Get(ctx context.Context, key string) (keychain.Secret, error) {
	defer s.waits()()
	return s.Store.Get(ctx, key)
}

func (s *patientStore) Set(ctx context.Context, key string, secret keychain.Secret) error {
	defer s.waits()()
	return s.Store.Set(ctx, key, secret)
}

func (s *patientStore) Delete(ctx context.Context, key string) error {
	defer s.waits()()
	return s.Store.Delete(ctx, key)
}
