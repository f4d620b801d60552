package keychain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"filippo.io/age"

	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// The files of an age store. A lock of its own, because all keys share a file.
const (
	ageIdentity = "identity.age"
	ageSecrets  = "secrets.age"
	ageLock     = "secrets.lock"
)

// maxAgeFile bounds what is read, in bytes: some hundred of the largest secrets.
const maxAgeFile = 64 << 20

// Passphrase asks for the passphrase of an age store. create says that there is
// none yet, so that this one is new: a person types it twice then.
type Passphrase func(ctx context.Context, create bool) (Secret, error)

// Age keeps secrets in two files of a folder, for machines without a keychain:
// identity.age is a key that the passphrase opens, secrets.age is what this key
// opens. Both are plain age files, so that without mcpauth
//
//	age -d -i identity.age secrets.age
//
// shows what is in them. The passphrase is asked for when first needed, and its
// slow part, scrypt, is done once in each process.
//
// The secrets change by the replacement of secrets.age, under a lock. A process that
// has the files and not the passphrase learns their size and age.
func Age(dir string, ask Passphrase) Store {
	return &ageStore{dir: dir, ask: ask, workFactor: ageWorkFactor}
}

// ageWorkFactor is the cost of scrypt as a power of two: about a second and
// 256 MiB, as age itself has it.
const ageWorkFactor = 18

type ageStore struct {
	dir        string
	ask        Passphrase
	workFactor int // less in tests

	mu  sync.Mutex // guards what follows, and lets one caller ask at a time
	key *age.X25519Identity
}

var _ Preparer = (*ageStore)(nil)

func (s *ageStore) Name() string { return "age file " + filepath.Join(s.dir, ageSecrets) }

func (s *ageStore) Get(ctx context.Context, key string) (Secret, error) {
	all, err := s.read(ctx)
	if err != nil {
		return Secret{}, during("get", err)
	}
	text, ok := all[account(key)]
	if !ok {
		return Secret{}, ErrNotFound
	}
	return NewSecret(string(text)), nil
}

func (s *ageStore) Set(ctx context.Context, key string, secret Secret) error {
	if err := checkSize(secret); err != nil {
		return during("set", err)
	}
	return during("set", s.change(ctx, func(all map[string][]byte) { all[account(key)] = []byte(secret.Reveal()) }))
}

// Prepare implements Preparer: the passphrase is asked for, and the file is
// written as it is.
func (s *ageStore) Prepare(ctx context.Context) error {
	return during("set", s.change(ctx, func(map[string][]byte) {}))
}

func (s *ageStore) Delete(ctx context.Context, key string) error {
	if _, err := os.Lstat(s.path(ageSecrets)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return during("delete", s.change(ctx, func(all map[string][]byte) { delete(all, account(key)) }))
}

func (s *ageStore) path(name string) string { return filepath.Join(s.dir, name) }

// change replaces the secrets and reads them back.
func (s *ageStore) change(ctx context.Context, edit func(map[string][]byte)) error {
	unlock, err := sharedfile.Lock(ctx, s.path(ageLock))
	if err != nil && ctx.Err() != nil {
		return gaveUp(ctx)
	}
	if err != nil {
		return err
	}
	defer unlock()
	all, err := s.read(ctx)
	if errors.Is(err, ErrNotFound) {
		s.forget() // the files may be gone that the key was of
		all, err = map[string][]byte{}, nil
	}
	if err != nil {
		return err
	}
	edit(all)
	key, err := s.identity(ctx, true)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(all)
	if err != nil {
		return errors.New("the secrets have no JSON form") // err may quote one
	}
	if err := s.seal(ageSecrets, plain, key.Recipient()); err != nil {
		return err
	}
	kept, err := s.open(ageSecrets, key)
	if err == nil && !bytes.Equal(kept, plain) {
		err = &Error{Kind: NotKept, Err: errors.New("the file reads back as something else")}
	}
	return err
}

// read returns all secrets, or ErrNotFound when there is no file. It asks for no
// passphrase then: a question about nothing would only confuse.
func (s *ageStore) read(ctx context.Context) (map[string][]byte, error) {
	if ctx.Err() != nil {
		return nil, gaveUp(ctx)
	}
	if _, err := os.Lstat(s.path(ageSecrets)); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	key, err := s.identity(ctx, false)
	if err != nil {
		return nil, err
	}
	plain, err := s.open(ageSecrets, key)
	if err != nil {
		s.forget() // another program may have started over, with another key
		return nil, err
	}
	all := map[string][]byte{}
	if json.Unmarshal(plain, &all) != nil { // its error may quote a secret
		return nil, corrupt("%s holds something else than secrets", s.path(ageSecrets))
	}
	return all, nil
}

func (s *ageStore) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = nil
}

// identity returns the key of the secrets. create allows to make one, where
// there are no secrets yet; the caller then holds the lock.
func (s *ageStore) identity(ctx context.Context, create bool) (*age.X25519Identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, nil
	}
	_, err := os.Lstat(s.path(ageIdentity))
	missing := errors.Is(err, fs.ErrNotExist)
	if missing && !create {
		return nil, corrupt("%s is missing, and nothing else opens %s", s.path(ageIdentity), ageSecrets)
	}
	passphrase, err := s.ask(ctx, missing)
	if err != nil {
		return nil, &Error{Kind: Sealed, Err: err}
	}
	if passphrase.IsZero() {
		return nil, &Error{Kind: Sealed, Err: errors.New("the passphrase is empty")}
	}
	if missing {
		s.key, err = s.newIdentity(passphrase)
	} else {
		s.key, err = s.openIdentity(passphrase)
	}
	return s.key, err
}

// minPassphrase is the least length of a new passphrase, in bytes: an attacker who gets
// the files may try as many as they like, about one a second and core.
const minPassphrase = 12

func (s *ageStore) newIdentity(passphrase Secret) (*age.X25519Identity, error) {
	if len(passphrase.Reveal()) < minPassphrase {
		return nil, &Error{Kind: Sealed, Err: fmt.Errorf("a new passphrase has at least %d characters", minPassphrase)}
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	recipient, err := age.NewScryptRecipient(passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(s.workFactor)
	return key, s.seal(ageIdentity, []byte(key.String()+"\n"), recipient)
}

func (s *ageStore) openIdentity(passphrase Secret) (*age.X25519Identity, error) {
	scrypt, err := age.NewScryptIdentity(passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	text, err := s.open(ageIdentity, scrypt)
	var wrong *age.NoIdentityMatchError
	if errors.As(err, &wrong) {
		return nil, &Error{Kind: Sealed, Err: errors.New("the passphrase is wrong")}
	}
	if err != nil {
		return nil, err
	}
	key, err := age.ParseX25519Identity(string(bytes.TrimSpace(text)))
	if err != nil {
		return nil, corrupt("%s holds something else than a key", s.path(ageIdentity)) // err may quote it
	}
	return key, nil
}

// seal encrypts a file and puts it in place in one step.
func (s *ageStore) seal(name string, plain []byte, to age.Recipient) error {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to)
	if err != nil {
		return err
	}
	if _, err := w.Write(plain); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return sharedfile.Replace(s.path(name), sealed.Bytes())
}

// open decrypts a file. One that the key does not fit is *age.NoIdentityMatchError
// inside of Corrupt.
func (s *ageStore) open(name string, key age.Identity) ([]byte, error) {
	path := s.path(name)
	file, err := sharedfile.Open(path, sharedfile.NoFollow)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, corrupt("%s is no regular file", path)
	}
	r, err := age.Decrypt(io.LimitReader(file, maxAgeFile), key)
	if err != nil {
		return nil, &Error{Kind: Corrupt, Err: fmt.Errorf("%s: %w", path, err)}
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, &Error{Kind: Corrupt, Err: fmt.Errorf("%s: %w", path, err)}
	}
	return plain, nil
}
