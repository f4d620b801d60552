package broker

import (
	"errors"

	"github.com/mcpauth/mcpauth/keychain"
)

// readSecretFile reads a client secret that an orchestrator or an administrator
// has put into a file. Errors are *Problem.
func readSecretFile(path string) (keychain.Secret, error) {
	secret, err := keychain.ReadFile(path)
	if err == nil {
		return secret, nil
	}
	problem := &Problem{Msg: "client_secret_file: " + err.Error(), Code: ExitUsage, Err: err}
	if errors.Is(err, keychain.ErrExposed) {
		problem.Hints = []string{"make a new secret at the provider, since it is none any more; then: chmod 0400 " + quoteWord(path)}
	}
	return keychain.Secret{}, problem
}
