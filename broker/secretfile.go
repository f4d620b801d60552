package broker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mcpauth/mcpauth/keychain"
)

// maxSecretFile bounds a client secret in a file, in bytes.
const maxSecretFile = 4096

// readSecretFile reads a client secret that an orchestrator or an administrator
// has put into a file. One that others can read is not used: they have it.
// Errors are *Problem.
func readSecretFile(path string) (keychain.Secret, error) {
	bad := func(why string, hints ...string) (keychain.Secret, error) {
		return keychain.Secret{}, &Problem{Msg: "client_secret_file " + path + " " + why, Hints: hints, Code: ExitUsage}
	}
	info, err := os.Stat(path) // before it is opened: a FIFO would wait for a writer
	if err == nil && !info.Mode().IsRegular() {
		return bad("is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return bad("cannot be read: " + pathReason(err))
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return bad("cannot be read: " + pathReason(err))
	}
	if err := checkPrivate(path, info); err != nil {
		return keychain.Secret{}, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	secret := strings.TrimRight(string(data), "\r\n")
	switch {
	case err != nil:
		return bad("cannot be read: " + pathReason(err))
	case len(data) > maxSecretFile:
		return bad(fmt.Sprintf("is larger than %d bytes; it must hold the secret alone", maxSecretFile))
	case secret == "":
		return bad("is empty")
	case strings.ContainsAny(secret, "\r\n"):
		return bad("has more than one line; it must hold the secret alone")
	}
	return keychain.NewSecret(secret), nil
}

func pathReason(err error) string {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}
