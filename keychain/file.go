package keychain

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxFileSecret bounds a secret that a file holds alone, in bytes.
const maxFileSecret = 4096

// ErrExposed means that a file with a secret can be read by others, so that it
// holds none any more.
var ErrExposed = errors.New("others may read it")

// ReadFile reads a secret that a file holds alone, with or without an end of
// line: a passphrase, or a client secret. On Unix the file must be ours or
// root's and nobody else's to read. The error names the file and holds nothing
// of it.
func ReadFile(path string) (Secret, error) {
	secret, err := readPrivate(path)
	if err != nil {
		var outer *os.PathError
		if errors.As(err, &outer) {
			err = outer.Err // it repeats the path
		}
		return Secret{}, fmt.Errorf("the secret in %s: %w", path, err)
	}
	return secret, nil
}

func readPrivate(path string) (Secret, error) {
	// Looked at before it is opened: opening a pipe would wait for a writer.
	info, err := os.Stat(path)
	if err != nil {
		return Secret{}, err
	}
	if !info.Mode().IsRegular() {
		return Secret{}, errors.New("it is no regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return Secret{}, err
	}
	defer file.Close()
	// The rights are those of the open file: the name may point elsewhere by now.
	if info, err = file.Stat(); err != nil {
		return Secret{}, err
	}
	if err := checkPrivate(info); err != nil {
		return Secret{}, err
	}
	return ReadSecret(file)
}

// ReadSecret reads a secret that stands alone in what r gives, with or without
// an end of line. It reads at most 4 KiB.
func ReadSecret(r io.Reader) (Secret, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFileSecret+1))
	if err != nil {
		return Secret{}, err
	}
	line := strings.TrimRight(string(text), "\r\n")
	switch {
	case line == "":
		return Secret{}, errors.New("it is empty")
	case len(text) > maxFileSecret:
		return Secret{}, fmt.Errorf("it is longer than %d bytes", maxFileSecret)
	case strings.ContainsAny(line, "\r\n\x00"):
		return Secret{}, errors.New("it has more than one line")
	}
	return NewSecret(line), nil
}
