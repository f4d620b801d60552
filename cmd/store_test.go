package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
)

// expandCommand is "expand FROM TO": a copy in which $NAME is the value of the
// script's variable.
func expandCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: expand FROM TO")
	}
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// ageIdentityCommand is "age-identity PASSPHRASE_FILE": puts the key of an age
// store in place that the passphrase opens without the second of work which
// mcpauth puts into one of its own, for scripts that open it often.
func ageIdentityCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: age-identity PASSPHRASE_FILE")
	}
	recipient, err := age.NewScryptRecipient(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	recipient.SetWorkFactor(1)
	key, err := age.GenerateX25519Identity()
	ts.Check(err)
	dir := filepath.Join(ts.Getenv("STATE"), "secrets")
	ts.Check(os.MkdirAll(dir, 0o700))
	file, err := os.OpenFile(filepath.Join(dir, "identity.age"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	ts.Check(err)
	sealed, err := age.Encrypt(file, recipient)
	ts.Check(err)
	_, err = fmt.Fprintln(sealed, key)
	ts.Check(errors.Join(err, sealed.Close(), file.Close()))
}
