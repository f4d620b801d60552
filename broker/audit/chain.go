package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// link is where the chain of a file ends: the number and the hash of its last
// record. Each record holds the hash of the one before it, and its own over all
// its bytes, so that after a change, a removal or a swap all later ones
// must be written again.
type link struct {
	seq  int64
	hash [hashSize]byte // in hex
}

const hashSize = 2 * sha256.Size

// origin is the link before the first record.
func origin() (l link) {
	for i := range l.hash {
		l.hash[i] = '0'
	}
	return l
}

// begin begins the next line.
func (l *link) begin(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"seq":`...), l.seq+1, 10)
	return append(append(append(dst, `,"prev":"`...), l.hash[:]...), '"')
}

const sealMember = `,"hash":"`

// seal ends the line that begins at start with its hash, and moves on to it.
func (l *link) seal(dst []byte, start int) []byte {
	sum := sha256.Sum256(dst[start:])
	l.seq++
	hex.Encode(l.hash[:], sum[:])
	return append(append(append(dst, sealMember...), l.hash[:]...), `"}`+"\n"...)
}

const sealSize = len(sealMember) + hashSize + len(`"}`)

// sealed reads a line and checks its own hash.
func sealed(line []byte) (Record, error) {
	var r Record
	if len(line) < sealSize || !bytes.HasPrefix(line[len(line)-sealSize:], []byte(sealMember)) {
		return r, errors.New("it is no sealed record")
	}
	body := line[:len(line)-sealSize]
	sum := sha256.Sum256(body)
	if want := fmt.Sprintf(`%s%x"}`, sealMember, sum); want != string(line[len(body):]) {
		return r, errors.New("it was changed: its hash is another")
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("it is no record: %w", err)
	}
	return r, nil
}
