package edit

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// LineError is an error at a line of a file, counted from 1. It does not quote the file.
type LineError struct {
	Line int
	Err  error
}

// ErrorAt is an error at a line.
func ErrorAt(line int, err error) error { return &LineError{line, err} }

// Error says what is wrong, without the line.
func (e *LineError) Error() string { return e.Err.Error() }

func atLine(line int, msg string) *LineError { return &LineError{line, errors.New(msg)} }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// DecodeError turns an error of the TOML library into one with a line. Only its
// short form is used: its long form quotes the lines around, secrets and all.
func DecodeError(err error) error {
	var at *toml.DecodeError
	if !errors.As(err, &at) {
		return err
	}
	line, _ := at.Position()
	return &LineError{line, errors.New(strings.TrimPrefix(at.Error(), "toml: "))}
}

// Name is the last part of the key.
func (k TOMLKey) Name() string { return k.Path[len(k.Path)-1] }

// WantString refuses any value but a string.
func (k TOMLKey) WantString() error {
	if k.Kind != unstable.String {
		return fmt.Errorf(`%s must be a string in quotes, like "…"`, k.Name())
	}
	return nil
}

// WantStrings refuses any value but a list of strings.
func (k TOMLKey) WantStrings() error {
	if k.Kind != unstable.Array || k.Items != unstable.String {
		return fmt.Errorf(`%s must be a list of strings, like ["…", "…"]`, k.Name())
	}
	return nil
}

// WantBool refuses any value but true and false.
func (k TOMLKey) WantBool() error {
	if k.Kind != unstable.Bool {
		return fmt.Errorf("%s must be true or false, without quotes", k.Name())
	}
	return nil
}

// WantTable refuses anything but a table.
func (k TOMLKey) WantTable() error {
	if k.Kind != unstable.Table && k.Kind != unstable.InlineTable {
		return fmt.Errorf("%s must be a table, like [%s]", k.Name(), JoinKey(k.Path))
	}
	return nil
}
