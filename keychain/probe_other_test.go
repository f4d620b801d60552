//go:build !linux

package keychain

// useStore is a probe of the Secret Service only.
func useStore(string, string) int { return 2 }
