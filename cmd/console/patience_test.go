package console

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcpauth/mcpauth/keychain"
)

// slowStore is a keychain that answers after a while.
type slowStore struct {
	keychain.Store
	takes time.Duration
}

func (s *slowStore) Get(context.Context, string) (keychain.Secret, error) {
	time.Sleep(s.takes)
	return keychain.Secret{}, keychain.ErrNotFound
}

func TestWhatIsWaitedForIsToldOnce(t *testing.T) {
	for takes, want := range map[time.Duration]int{patienceTold / 2: 0, 10 * patienceTold: 1} {
		synctest.Test(t, func(t *testing.T) {
			var told atomic.Int64
			s := &patientStore{Store: &slowStore{keychain.Memory(), takes}, after: patienceTold, tell: func(string) { told.Add(1) }}
			for range 3 {
				if _, err := s.Get(t.Context(), "x"); err != keychain.ErrNotFound {
					t.Fatal(err)
				}
			}
			if told := int(told.Load()); told != want {
				t.Errorf("told %d times of a keychain that takes %s, want %d", told, takes, want)
			}
		})
	}
}
