package keychain

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/zalando/go-keyring"
)

func TestLibraryErrorsAreExplained(t *testing.T) {
	for _, test := range []struct {
		err  error
		kind Kind
		word string
	}{
		{keyring.ErrSetDataTooBig, TooBig, "too big"},
		{keyring.ErrUnsupportedPlatform, Unavailable, "unsupported platform"},
		{base64.CorruptInputError(1), Corrupt, "encoding"},
		{hex.InvalidByteError('x'), Corrupt, "encoding"},
		{hex.ErrLength, Corrupt, "encoding"},
		{&exec.Error{Name: "/usr/bin/security", Err: exec.ErrNotFound}, Unavailable, "security"},
		{fmt.Errorf("x: %w", syscall.Errno(1312)), Unavailable, "1312"},
		{syscall.Errno(1783), TooBig, "too big"},
		{errors.New("something new"), Failed, "something new"},
	} {
		err := during("get", explain(test.err, ""))
		wantKind(t, err, test.kind)
		if !strings.Contains(err.Error(), test.word) {
			t.Errorf("%v does not say %q", err, test.word)
		}
	}
	if err := explain(fmt.Errorf("x: %w", keyring.ErrNotFound), ""); err != ErrNotFound {
		t.Errorf("absence is %v", err)
	}
	if err := explain(nil, ""); err != nil {
		t.Errorf("success is %v", err)
	}
}

func TestErrorThatRepeatsTheSecretIsWithheld(t *testing.T) {
	stored := pack(canary)[0]
	err := during("set", explain(fmt.Errorf("cannot store %q", stored), stored))
	wantKind(t, err, Failed)
	noCanary(t, err, NewSecret(canary))
}

func TestErrorsReadAsOneSentence(t *testing.T) {
	for kind := Unavailable; kind <= NoKeyring; kind++ {
		bare := (&Error{Op: "get", Kind: kind}).Error()
		if bare == "" || bare != strings.ToLower(bare) || strings.HasSuffix(bare, ".") || strings.Contains(bare, "failed to") {
			t.Errorf("kind %d reads %q", kind, bare)
		}
		cause := errors.New("why")
		err := &Error{Op: "get", Kind: kind, Err: cause}
		if got := err.Error(); got != bare+": why" || !errors.Is(err, cause) {
			t.Errorf("kind %d with a cause reads %q", kind, got)
		}
	}
}
