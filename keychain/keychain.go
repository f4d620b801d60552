// Package keychain keeps secrets in the operating system's keychain (macOS
// Keychain, Windows Credential Manager, Secret Service) and is the only package
// that may talk to it.
//
// What is stored may be larger than one keychain item: it is compressed, cut
// into chunks under the platforms' limits and written to one of two slots, the
// header last, so that a crash leaves the old value whole.
package keychain

import (
	"context"
	"errors"
)

// ErrNotFound means that nothing is stored under a key. It is the only error
// that means absence: a keychain that is locked, missing or silent gives an
// *Error instead, and nobody may conclude from it that the user is signed out.
var ErrNotFound = errors.New("not in the keychain")

// Store keeps secrets by key. Implementations are safe for concurrent use.
// Writers of the same key in several processes must hold one [Lock].
type Store interface {
	// Get returns the secret under key, or ErrNotFound.
	Get(ctx context.Context, key string) (Secret, error)
	// Set stores the secret and reads it back. After an error the old secret
	// is still whole, or the new one is already there, when the keychain broke
	// off or did not answer in time at the last step. It is never a mixture.
	Set(ctx context.Context, key string, secret Secret) error
	// Delete removes the secret and all its parts. Absence is no error.
	Delete(ctx context.Context, key string) error
	// Name says for people where the secrets are: "macOS Keychain",
	// "Windows Credential Manager", "Secret Service", "memory (this process only)",
	// "age file PATH".
	Name() string
}

// Preparer is a Store that has to ask a person for something before it can keep a
// secret, and would rather do so before that secret is there.
type Preparer interface {
	// Prepare makes sure that a Set will not fail for what can be known before.
	Prepare(ctx context.Context) error
}

// Kind says why a keychain could not do what was asked.
type Kind int

// The kinds of failure, each with a cure of its own.
const (
	Unavailable Kind = iota + 1 // no keychain service on this machine or session
	Locked                      // there, but locked and nobody to unlock it
	Timeout                     // did not answer in time
	NotKept                     // said yes, but the secret is not there (a dismissed prompt)
	Corrupt                     // what is stored is torn, foreign or altered
	TooBig                      // larger than this store can hold
	Failed                      // any other error of the keychain
	Sealed                      // an age store, and no right passphrase to open it
	NoKeyring                   // a keychain service that has no keyring to put anything in yet
)

// Error is a failure of the keychain. Its text never holds a secret.
type Error struct {
	Op   string // "get", "set", "delete"
	Kind Kind
	Err  error // the cause, may be nil
}
