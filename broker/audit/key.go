package audit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"os"
	"path/filepath"
	"sync"
)

// Key hashes values so that equal ones can be recognised and unknown ones not
// guessed: the hash of a small value, such as a customer's number, would else be
// found by trying all. It is safe for concurrent use.
type Key struct {
	mu   sync.Mutex
	hash hash.Hash
	sum  []byte
}

const keySize = 32

// OpenKey reads the machine's key, and makes one if there is none. The file holds
// 32 random bytes and is closed to others. A program that may read it may also read the
// audit files beside it: it protects what leaves the folder.
func OpenKey(path string) (*Key, error) {
	secret, err := readKey(path)
	if err != nil {
		return nil, &Error{Op: "open", Path: path, Err: cause(err)}
	}
	return &Key{hash: hmac.New(sha256.New, secret)}, nil
}

func readKey(path string) ([]byte, error) {
	file, _, err := openFile(filepath.Dir(path), filepath.Base(path), os.O_CREATE)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	secret := make([]byte, keySize)
	if n, _ := file.ReadAt(secret, 0); n == keySize {
		return secret, nil
	}
	// Several programs may start together: the first makes the key of all.
	if err := waitLock(file); err != nil {
		return nil, err
	}
	if n, _ := file.ReadAt(secret, 0); n == keySize {
		return secret, nil
	}
	rand.Read(secret) // never fails
	_, err = file.WriteAt(secret, 0)
	return secret, err
}

// Hash is the first 64 bits of HMAC-SHA-256 of the value, in hex.
func (k *Key) Hash(value []byte) string {
	const size = 8
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hash.Reset()
	k.hash.Write(value)
	k.sum = k.hash.Sum(k.sum[:0])
	return hex.EncodeToString(k.sum[:size])
}
