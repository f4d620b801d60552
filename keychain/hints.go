package keychain

import "runtime"

// ExitCode is that of the command line for the keychain.
func (e *Error) ExitCode() int { return 7 }

// Hints say how to fix it, the command or the sentence that is most likely to help
// first.
func (e *Error) Hints() []string { return hints(e.Kind, runtime.GOOS) }

// The way out where no keychain can be had. It is the user's choice: mcpauth
// never takes it by itself.
const (
	HintAgeAtFirst = "or keep the tokens in a file with a passphrase: mcpauth init --store age"
	HintAgeLater   = "where there are profiles already: mcpauth store use age"
)

// hints say how to fix each kind of failure on an operating system (a
// GOOS value). The first one stands alone where there is little room.
func hints(kind Kind, goos string) []string {
	switch kind {
	case Unavailable:
		return append(noKeychainHints(goos), HintAgeAtFirst, HintAgeLater)
	case NoKeyring:
		return []string{
			"make a keyring named Login in Passwords and Keys (seahorse), or sign in to the desktop with your password, which makes one",
			HintAgeAtFirst, HintAgeLater,
		}
	case Locked:
		return []string{unlockHint(goos), HintAgeAtFirst, HintAgeLater}
	case Timeout:
		return []string{
			"answer the keychain's question, which may be behind another window or on the machine's own screen, then try again",
			unlockHint(goos),
		}
	case NotKept:
		return []string{"say yes when the keychain asks, then try again"}
	case Sealed:
		return []string{
			"type the passphrase at a terminal, or give it with --passphrase-fd N, or in a file that only you can read: passphrase_file = \"/…\" in the configuration",
			"forgotten? mcpauth store use keychain, then sign in again",
		}
	case Corrupt:
		return []string{"mcpauth login replaces what is stored"}
	}
	return []string{"try again; mcpauth keeps tokens nowhere else"}
}

func noKeychainHints(goos string) []string {
	switch goos {
	case "windows":
		return []string{"run the command at the machine itself or by remote desktop: a session over SSH or WinRM has no credential vault"}
	case "darwin":
		return []string{"run the command in a session of the user who is signed in to the Mac, with /usr/bin/security in its place"}
	}
	return []string{
		"on a desktop: sign in to the desktop session, which starts the keychain",
		"on a server: install gnome-keyring and run the command in a session that has it (dbus-run-session)",
	}
}

func unlockHint(goos string) string {
	switch goos {
	case "windows":
		return "unlock the keychain by signing in to Windows, then try again"
	case "darwin":
		return "unlock the keychain with: security unlock-keychain, then try again"
	}
	return "unlock the keychain in Passwords and Keys (seahorse), or by signing in to the desktop, then try again"
}
