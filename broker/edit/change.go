package edit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
)

// Change is what an edit did to the bytes of a file, so that it can be undone
// even where other parts of the file have changed since.
type Change struct {
	At  int    `json:"at"`  // offset in the file
	Old string `json:"old"` // the bytes that were replaced
	New string `json:"new"` // by these
	// Sums of the whole file (SHA-256, hexadecimal); before is empty where there
	// was no file.
	Before string `json:"before"`
	After  string `json:"after"`
}

// ChangeOf compares a file before and after an edit. existed says whether there
// was a file before, which an empty string does not tell.
func ChangeOf(before []byte, existed bool, after []byte) Change {
	start := 0
	for start < min(len(before), len(after)) && before[start] == after[start] {
		start++
	}
	tail := 0
	for tail < min(len(before), len(after))-start && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	c := Change{
		At: start, Old: string(before[start : len(before)-tail]), New: string(after[start : len(after)-tail]),
		After: sum(after),
	}
	if existed {
		c.Before = sum(before)
	}
	return c
}

// Created reports whether there was no file before the change.
func (c Change) Created() bool { return c.Before == "" }

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

// Undo takes the change out of a file: exact where the file is then as it was,
// byte for byte. It is not ok where other parts of the file have changed and the
// changed bytes are not in it exactly once.
func (c Change) Undo(data []byte) (before []byte, exact, ok bool) {
	if sum(data) == c.After && c.At+len(c.New) <= len(data) {
		return splice(data, c.At, c.At+len(c.New), c.Old), true, true
	}
	if text := []byte(c.New); len(text) > 0 && bytes.Count(data, text) == 1 {
		at := bytes.Index(data, text)
		return splice(data, at, at+len(text), c.Old), false, true
	}
	return nil, false, false
}
