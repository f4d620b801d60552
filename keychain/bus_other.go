//go:build !(linux || dragonfly || freebsd || netbsd || openbsd)

package keychain

import "runtime"

func osName() string {
	switch runtime.GOOS {
	case "darwin":
		return "macOS Keychain"
	case "windows":
		return "Windows Credential Manager"
	}
	return "keychain of " + runtime.GOOS
}

// reachable has nothing to ask before: neither keychain needs a message bus.
func reachable() error { return nil }

func explainBus(error) *Error { return nil }

func vanished(error) bool { return false }
