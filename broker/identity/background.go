package identity

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mcpauth/mcpauth/keychain"
)

// BeginBackground claims the one place for a sign-in of the client that goes on
// after its command has ended. ok is false while another one goes on. unfinished
// is what others find who look for the outcome of a process that was killed;
// end replaces it, and lets them look. Neither may hold a secret.
func (a *Accounts) BeginBackground(c Client, unfinished []byte) (end func(report []byte) error, ok bool, err error) {
	files := a.files(c)
	unlock, ok, err := keychain.TryLock(files.background)
	if err != nil || !ok {
		return nil, false, err
	}
	if err := writeReport(files.report, unfinished); err != nil {
		unlock()
		return nil, false, err
	}
	return func(report []byte) error {
		defer unlock()
		return writeReport(files.report, report)
	}, true, nil
}

// AwaitBackground waits until no sign-in of the client goes on in the
// background, and returns the report of the last one, once. It is nil when there
// was none.
func (a *Accounts) AwaitBackground(ctx context.Context, c Client) (report []byte, err error) {
	files := a.files(c)
	unlock, err := keychain.Lock(ctx, files.background)
	if err != nil {
		return nil, err
	}
	defer unlock()
	report, err = os.ReadFile(files.report)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("the outcome of the sign-in: %w", err)
	}
	return report, os.Remove(files.report)
}

func writeReport(path string, report []byte) error {
	// Nobody reads before the lock is free, so it need not be replaced in one go.
	if err := os.WriteFile(path, report, 0o600); err != nil {
		return fmt.Errorf("the outcome of the sign-in: %w", err)
	}
	return nil
}
