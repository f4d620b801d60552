package config

import (
	"errors"

	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/keychain"
)

// ReadSecretFile reads a client secret that an orchestrator or an administrator
// has put into a file. Errors are *problem.Problem.
func ReadSecretFile(path string) (keychain.Secret, error) {
	secret, err := keychain.ReadFile(path)
	if err == nil {
		return secret, nil
	}
	problem := &problem.Problem{Msg: "client_secret_file: " + err.Error(), Code: problem.ExitUsage, Err: err}
	if errors.Is(err, keychain.ErrExposed) {
		problem.Hints = []string{"make a new secret at the provider, since it is none any more; then: chmod 0400 " + text.QuoteWord(path)}
	}
	return keychain.Secret{}, problem
}
