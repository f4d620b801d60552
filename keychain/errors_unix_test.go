//go:build linux || dragonfly || freebsd || netbsd || openbsd

package keychain

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

func TestBusErrorsAreExplained(t *testing.T) {
	answer := func(name string) error { return dbus.Error{Name: name, Body: []any{canary}} }
	for _, test := range []struct {
		err  error
		kind Kind
		word string
	}{
		{&exec.Error{Name: "dbus-launch", Err: exec.ErrNotFound}, Unavailable, "dbus-launch"},
		{&net.OpError{Op: "dial", Net: "unix", Err: errors.New("no such file")}, Unavailable, "address of the session bus"},
		{io.EOF, Unavailable, "session bus"},
		{dbus.ErrClosed, Unavailable, "session bus"},
		{errors.New("dbus: authentication failed"), Unavailable, "session bus"},
		{answer("org.freedesktop.DBus.Error.ServiceUnknown"), Unavailable, "no Secret Service"},
		{answer("org.freedesktop.DBus.Error.NameHasNoOwner"), Unavailable, "no Secret Service"},
		{answer("org.freedesktop.DBus.Error.Spawn.ExecFailed"), Unavailable, "did not start"},
		{answer("org.freedesktop.DBus.Error.AccessDenied"), Unavailable, "AccessDenied"},
		{answer("org.freedesktop.Secret.Error.IsLocked"), Locked, "locked"},
		{answer("org.freedesktop.DBus.Error.NoReply"), Timeout, "NoReply"},
		{answer("org.example.Rubbish"), Failed, "org.example.Rubbish"},
		{errors.New("failed to unlock correct collection '/org/freedesktop/secrets/collection/login'"), Locked, "login keyring"},
		{errors.New("failed to unlock correct collection '/org/freedesktop/secrets/aliases/default'"), NoKeyring, "no login keyring"},
	} {
		err := during("get", explain(test.err, ""))
		wantKind(t, err, test.kind)
		if !strings.Contains(err.Error(), test.word) {
			t.Errorf("%v does not say %q", err, test.word)
		}
		noCanary(t, err, NewSecret(canary))
	}
}

func TestVanishedItemIsToldFromALock(t *testing.T) {
	for text, want := range map[string]bool{
		"failed to unlock correct collection '/org/freedesktop/secrets/collection/login/12'": true,
		"failed to unlock correct collection '/org/freedesktop/secrets/collection/login'":    false,
		"failed to unlock correct collection '/org/freedesktop/secrets/aliases/default'":     false,
		"something new": false,
	} {
		if got := vanished(errors.New(text)); got != want {
			t.Errorf("vanished(%q) is %v", text, got)
		}
	}
	for name, want := range map[string]bool{
		"org.freedesktop.Secret.Error.NoSuchObject": true,
		"org.freedesktop.DBus.Error.UnknownObject":  true,
		"org.freedesktop.DBus.Error.UnknownMethod":  true,
		"org.freedesktop.Secret.Error.IsLocked":     false,
	} {
		if got := vanished(dbus.Error{Name: name}); got != want {
			t.Errorf("vanished(%s) is %v", name, got)
		}
	}
}

// security(1) tells its errors by exit status only.
func TestMacExitStatusesAreExplained(t *testing.T) {
	for status, kind := range map[int]Kind{36: Locked, 51: Locked, 128: Locked, 1: Failed} {
		exit := exec.Command("sh", "-c", fmt.Sprintf("exit %d", status)).Run()
		wantKind(t, during("get", explain(exit, "")), kind)
	}
}
