package keychain

import (
	"context"
	"time"

	"github.com/zalando/go-keyring"
)

// service is the name under which all items stand in the keychain.
const service = "mcpauth"

// OS returns the keychain of the operating system: macOS Keychain, Windows
// Credential Manager, or the Secret Service of Linux and the BSDs.
//
// Each call of the keychain (a Get or Set makes several) may take timeout: 3 s
// in a proxy, whose client waits; 60 s in a login, where a person may have to
// type a password. While one call hangs longer, all others fail at once with
// [Timeout], so that a keychain that never answers costs one goroutine.
//
// Writers of one key in several stores of this process need one [Lock] too.
func OS(timeout time.Duration) Store {
	return newChunked(osName(), newBounded(osItems{}, timeout))
}

// osItems is go-keyring. It takes no context and has no deadline of its own:
// [bounded] adds both.
type osItems struct{}

func (osItems) get(_ context.Context, account string) (text string, err error) {
	err = ask("", func() (err error) {
		text, err = keyring.Get(service, account)
		return err
	})
	return text, err
}

func (osItems) set(_ context.Context, account, text string) error {
	return ask(text, func() error { return keyring.Set(service, account, text) })
}

func (osItems) delete(_ context.Context, account string) error {
	return ask("", func() error { return keyring.Delete(service, account) })
}

// ask calls go-keyring, where that is safe, and explains its error. An item
// that another process deletes between go-keyring's search and its next step is
// no failure: it is searched for again.
func ask(written string, call func() error) error {
	if err := reachable(); err != nil {
		return err
	}
	err := call()
	for tries := 1; tries < 5 && vanished(err); tries++ {
		err = call()
	}
	return explain(err, written)
}
