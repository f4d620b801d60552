package keychain

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"

	"github.com/zalando/go-keyring"
)

// Error says what is wrong with the keychain and, after a colon, which of the
// cases behind that it is. What the user can do about it is added by those who
// know how they were called.
func (e *Error) Error() string {
	words := e.words()
	if e.Err == nil {
		return words
	}
	return words + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func (e *Error) words() string {
	switch e.Kind {
	case Unavailable:
		return "no keychain can be reached"
	case Locked:
		return "the keychain is locked and nobody is there to unlock it"
	case Timeout:
		return "the keychain did not answer in time"
	case NotKept:
		return "the keychain said yes but did not do it"
	case Corrupt:
		return "what the keychain holds is damaged or not ours"
	case TooBig:
		return "the secret is too big for the keychain"
	case Sealed:
		return "the age file cannot be opened"
	case NoKeyring:
		return "the keychain has no keyring yet"
	default:
		return "the keychain gave an error"
	}
}

// during completes err with the operation of the caller. ErrNotFound stays
// bare: it is an answer, not a failure.
func during(op string, err error) error {
	if err == nil || errors.Is(err, ErrNotFound) {
		return err
	}
	failure := &Error{Kind: Failed, Err: err}
	errors.As(err, &failure)
	return &Error{Op: op, Kind: failure.Kind, Err: failure.Err}
}

func isKind(err error, kind Kind) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Kind == kind
}

func corrupt(format string, args ...any) error {
	return &Error{Kind: Corrupt, Err: fmt.Errorf(format, args...)}
}

// gaveUp is the error of a caller whose context ended before the answer came.
func gaveUp(ctx context.Context) error {
	return &Error{Kind: Timeout, Err: context.Cause(ctx)}
}

// Exit statuses of /usr/bin/security, which are the low bytes of OSStatus
// codes. go-keyring drops the text that would name them.
const (
	macInteractionNotAllowed = 36  // -25308: locked, and no window may ask (SSH)
	macAuthFailed            = 51  // -25293: the wrong password was typed
	macUserCanceled          = 128 // -128: the prompt was dismissed
)

// Error codes of the Windows credential functions.
const (
	winNoSuchLogonSession = syscall.Errno(1312) // a network logon (SSH, WinRM) has no vault
	winBadStubData        = syscall.Errno(1783) // the value is over the limit
)

// explain turns an error of go-keyring into ErrNotFound or an *Error. written
// is the text that was to be stored, if any: an error that repeats it is
// withheld, wherever it was made.
func explain(err error, written string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, keyring.ErrNotFound) {
		return ErrNotFound
	}
	for _, known := range []func(error) *Error{explainLibrary, explainMac, explainWindows, explainBus} {
		if failure := known(err); failure != nil {
			return failure
		}
	}
	if written != "" && strings.Contains(err.Error(), written) {
		err = errors.New("its words are withheld because they repeat the secret")
	}
	return &Error{Kind: Failed, Err: err}
}

func explainLibrary(err error) *Error {
	var badBase64 base64.CorruptInputError
	var badHex hex.InvalidByteError
	switch {
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return &Error{Kind: TooBig}
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return &Error{Kind: Unavailable, Err: err}
	case errors.As(err, &badBase64), errors.As(err, &badHex), errors.Is(err, hex.ErrLength):
		// On macOS go-keyring marks its texts as encoded; this one is not.
		return &Error{Kind: Corrupt, Err: errors.New("an item is not in the encoding it claims")}
	}
	return nil
}

func explainMac(err error) *Error {
	var missing *exec.Error
	if errors.As(err, &missing) {
		return &Error{Kind: Unavailable, Err: err}
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return nil
	}
	switch exit.ExitCode() {
	case macInteractionNotAllowed:
		return &Error{Kind: Locked, Err: errors.New("user interaction is not allowed (-25308), as in an SSH session")}
	case macAuthFailed:
		return &Error{Kind: Locked, Err: errors.New("its password was refused (-25293)")}
	case macUserCanceled:
		return &Error{Kind: Locked, Err: errors.New("its prompt was dismissed (-128)")}
	}
	return nil
}

func explainWindows(err error) *Error {
	var code syscall.Errno
	if !errors.As(err, &code) {
		return nil
	}
	switch code {
	case winNoSuchLogonSession:
		return &Error{Kind: Unavailable, Err: errors.New("this logon session has no credential vault (1312), as over SSH or WinRM")}
	case winBadStubData:
		return &Error{Kind: TooBig}
	}
	return nil
}
