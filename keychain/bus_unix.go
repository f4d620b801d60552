//go:build linux || dragonfly || freebsd || netbsd || openbsd

package keychain

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"strings"

	"github.com/godbus/dbus/v5"
)

// unlockFailed begins go-keyring's error about a collection or an item, whose
// path follows. Items lie deeper than /org/freedesktop/secrets/collection/login.
const (
	unlockFailed = "failed to unlock correct collection"
	loginDepth   = 5
)

func osName() string { return "Secret Service" }

// reachable refuses when there is no session bus to ask. godbus would run
// dbus-launch then, and where that is installed (dbus-x11) each process leaves
// a daemon behind for ever and its later calls hang.
//
// AI clients strip the environment, so the bus of the login session at
// /run/user/<uid>/bus must do without DBUS_SESSION_BUS_ADDRESS; godbus looks
// there by itself. The user is asked for as godbus asks, because it too goes on
// to dbus-launch when it gets no answer.
func reachable() error {
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" && address != "autolaunch:" {
		return nil
	}
	who, err := user.Current()
	if err != nil {
		return &Error{Kind: Unavailable, Err: fmt.Errorf("DBUS_SESSION_BUS_ADDRESS is not set, and no user to find the session bus of: %w", err)}
	}
	bus := "/run/user/" + who.Uid + "/bus"
	if _, err := os.Stat(bus); err != nil {
		return &Error{Kind: Unavailable, Err: fmt.Errorf("this session has no message bus: DBUS_SESSION_BUS_ADDRESS is not set and %s does not exist", bus)}
	}
	return nil
}

// explainBus knows what go-keyring and godbus say. Of a D-Bus error only the
// name is kept: its body is whatever the service put in.
func explainBus(err error) *Error {
	var answer dbus.Error
	if errors.As(err, &answer) {
		return explainAnswer(answer.Name)
	}
	var dial *net.OpError
	text := err.Error()
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return &Error{Kind: Unavailable, Err: fmt.Errorf("nobody answers at the address of the session bus: %w", dial)}
	case dial != nil, errors.Is(err, io.EOF), strings.HasPrefix(text, "dbus: "):
		return &Error{Kind: Unavailable, Err: fmt.Errorf("the session bus is of no use: %w", err)}
	case !strings.HasPrefix(text, unlockFailed):
		return nil
	case strings.Contains(text, "/aliases/default"):
		return &Error{Kind: NoKeyring, Err: errors.New("the Secret Service has no login keyring, and its default one did not open")}
	}
	return &Error{Kind: Locked, Err: errors.New("the login keyring of the Secret Service")}
}

// vanished recognizes the error about an item that was found and then removed. The
// specification has NoSuchObject for it, gnome-keyring says UnknownMethod, and
// go-keyring's unlocking of an item that is not there reads like a lock.
func vanished(err error) bool {
	if err == nil {
		return false
	}
	var answer dbus.Error
	if errors.As(err, &answer) {
		switch answer.Name {
		case "org.freedesktop.Secret.Error.NoSuchObject",
			"org.freedesktop.DBus.Error.UnknownObject",
			"org.freedesktop.DBus.Error.UnknownMethod":
			return true
		}
	}
	text := err.Error()
	return strings.HasPrefix(text, unlockFailed) && strings.Contains(text, "/collection/") && strings.Count(text, "/") > loginDepth
}

func explainAnswer(name string) *Error {
	said := fmt.Errorf("the Secret Service answered %s", name)
	switch name {
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner":
		return &Error{Kind: Unavailable, Err: errors.New("no Secret Service on the session bus (gnome-keyring, KWallet or KeePassXC)")}
	case "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.Disconnected":
		return &Error{Kind: Unavailable, Err: said}
	case "org.freedesktop.Secret.Error.IsLocked":
		return &Error{Kind: Locked, Err: errors.New("the item in the Secret Service")}
	case "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Timeout", "org.freedesktop.DBus.Error.TimedOut":
		return &Error{Kind: Timeout, Err: said}
	}
	if strings.HasPrefix(name, "org.freedesktop.DBus.Error.Spawn.") {
		return &Error{Kind: Unavailable, Err: fmt.Errorf("the Secret Service did not start: %s", name)}
	}
	return &Error{Kind: Failed, Err: said}
}
