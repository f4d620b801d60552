package keychain

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/zalando/go-keyring"
)

// fakeItems is a keychain of single items in memory with a platform's caps
// and with faults.
type fakeItems struct {
	mu    sync.Mutex
	texts map[string]string
	cap   func(account, text string) error // nil: no limit
	// fault is asked before each call, with no lock held. errLie makes the call
	// say yes and do nothing, errLate makes it take effect and then fail;
	// any other error is returned as it is.
	fault func(op, account string) error
}

var (
	errLie   = errors.New("says yes and does nothing")
	errLate  = &Error{Kind: Failed, Err: errors.New("crashed after it took effect")}
	errCrash = &Error{Kind: Failed, Err: errors.New("crashed")}
)

func newFakeItems() *fakeItems { return &fakeItems{texts: map[string]string{}} }

func (f *fakeItems) do(op, account string, act func() error) error {
	var fault error
	if f.fault != nil {
		fault = f.fault(op, account)
	}
	switch fault {
	case nil:
	case errLie:
		return nil
	case errLate:
		f.mu.Lock()
		defer f.mu.Unlock()
		_ = act()
		return errLate
	default:
		return fault
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return act()
}

func (f *fakeItems) get(_ context.Context, account string) (text string, err error) {
	err = f.do("get", account, func() error {
		var ok bool
		if text, ok = f.texts[account]; !ok {
			return ErrNotFound
		}
		return nil
	})
	return text, err
}

func (f *fakeItems) set(_ context.Context, account, text string) error {
	return f.do("set", account, func() error {
		if f.cap != nil {
			if err := f.cap(account, text); err != nil {
				return explain(err, text)
			}
		}
		f.texts[account] = text
		return nil
	})
}

func (f *fakeItems) delete(_ context.Context, account string) error {
	return f.do("delete", account, func() error {
		if _, ok := f.texts[account]; !ok {
			return ErrNotFound
		}
		delete(f.texts, account)
		return nil
	})
}

func (f *fakeItems) snapshot() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.texts)
}

// mustBeEmpty holds a store to leaving nothing behind.
func (f *fakeItems) mustBeEmpty(t *testing.T) {
	t.Helper()
	if left := f.snapshot(); len(left) != 0 {
		var names []string
		for name := range left {
			names = append(names, name)
		}
		t.Errorf("items left behind: %q", names)
	}
}

// macNeedsQuotes is what go-keyring puts into quotes, which would cost bytes.
var macNeedsQuotes = regexp.MustCompile(`[^\w@%+=:,./-]`)

// macCap is the limit of go-keyring v0.2.8 on macOS: one line of security(1).
func macCap(account, text string) error {
	if macNeedsQuotes.MatchString(account) {
		return errors.New("an account that security(1) would have to parse")
	}
	line := "add-generic-password -U -s " + service + " -a " + account +
		" -w go-keyring-base64:" + base64.StdEncoding.EncodeToString([]byte(text)) + "\n"
	if len(line) > 4096 {
		return keyring.ErrSetDataTooBig
	}
	return nil
}

// windowsCap is CRED_MAX_CREDENTIAL_BLOB_SIZE and CRED_MAX_USERNAME_LENGTH.
func windowsCap(account, text string) error {
	if len(text) > 2560 || len(account) > 513 {
		return keyring.ErrSetDataTooBig
	}
	if account != strings.ToLower(account) && !strings.Contains(account, "%") {
		return errors.New("an account that differs from another only in case")
	}
	return nil
}

// noCanary fails if an error shows a secret, as text or as it is stored.
func noCanary(t *testing.T, err error, secrets ...Secret) {
	t.Helper()
	if err == nil {
		return
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, secret := range secrets {
			shown := e.Error()
			if secret.IsZero() {
				continue
			}
			if strings.Contains(shown, secret.Reveal()) || strings.Contains(shown, pack(secret.Reveal())[0]) {
				t.Errorf("error shows the secret: %.80q…", shown)
			}
		}
	}
}

func wantKind(t *testing.T, err error, kind Kind) {
	t.Helper()
	var failure *Error
	if !errors.As(err, &failure) {
		t.Fatalf("error is %v, want an *Error of kind %d", err, kind)
	}
	if failure.Kind != kind {
		t.Fatalf("error is of kind %d, want %d: %v", failure.Kind, kind, err)
	}
	if failure.Op == "" {
		t.Errorf("error has no Op: %v", err)
	}
}
