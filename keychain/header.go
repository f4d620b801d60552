package keychain

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	// maxSecret is the largest secret in bytes. It also bounds what a gzip
	// bomb, planted in the keychain, can unfold to.
	maxSecret = 256 << 10

	// chunkSize is the largest item value in bytes, base64 text already, and
	// safe on all platforms with an account of at most maxAccount bytes:
	//
	//	Windows: a value may have 2,560 bytes (go-keyring refuses more);
	//	         160 are left.
	//	macOS:   go-keyring sends security(1) one line of at most 4,096 bytes
	//	         with the value in base64 once more:
	//	         "add-generic-password -U -s mcpauth -a " 38 + account 256 +
	//	         " -w " 4 + "go-keyring-base64:" 18 + 2,400/3*4 = 3,200 +
	//	         newline 1 = 3,517; 579 are left.
	//	Linux:   no limit.
	chunkSize = 2400

	// maxAccount is the longest account name in bytes, the suffix of a chunk
	// included. Windows takes 513.
	maxAccount = 256

	// maxChunks is what maxSecret bytes that do not compress need. gzip adds
	// 18 bytes and 5 for each stored block of at least 16 KiB; 1 KiB is more.
	maxChunks = (maxSecret+1<<10)*4/3/chunkSize + 1
)

// header is the item that makes chunks a secret. It is the only thing under
// the key's own name, and replacing it replaces the secret.
type header struct {
	slot  slot
	count int               // chunks, 1 to maxChunks
	size  int               // bytes of the secret, 0 to maxSecret
	sum   [sha256.Size]byte // see digest
}

// slot names one of the two places where the chunks of a key can be.
type slot byte

const (
	slotA slot = 'a'
	slotB slot = 'b'
)

// other is the slot that is not current. With none current it is slotA.
func (s slot) other() slot {
	if s == slotA {
		return slotB
	}
	return slotA
}

const headerFormat = "mcpauth 1 %c %d %d %x"

func (h header) String() string {
	return fmt.Sprintf(headerFormat, h.slot, h.count, h.size, h.sum)
}

// parseHeader accepts what String writes and nothing else.
func parseHeader(text string) (header, error) {
	fields := strings.Split(text, " ")
	if len(fields) < 2 || fields[0] != "mcpauth" {
		return header{}, corrupt("an entry that mcpauth did not write stands in its place")
	}
	if fields[1] != "1" {
		return header{}, corrupt("the entry has a format that this version of mcpauth does not know")
	}
	h, ok := readFields(fields[2:])
	if !ok || h.String() != text {
		return header{}, corrupt("the head of the entry is damaged")
	}
	return h, nil
}

func readFields(fields []string) (h header, ok bool) {
	if len(fields) != 4 || len(fields[0]) != 1 {
		return header{}, false
	}
	h.slot = slot(fields[0][0])
	count, badCount := strconv.Atoi(fields[1])
	size, badSize := strconv.Atoi(fields[2])
	sum, badSum := hex.DecodeString(fields[3])
	if badCount != nil || badSize != nil || badSum != nil || len(sum) != len(h.sum) {
		return header{}, false
	}
	h.count, h.size = count, size
	copy(h.sum[:], sum)
	return h, (h.slot == slotA || h.slot == slotB) &&
		1 <= count && count <= maxChunks && 0 <= size && size <= maxSecret
}

// digest is over what is stored, so that nothing altered reaches the
// decompressor, and over the key, so that an entry under another key's name (a
// copy, or names that a platform does not tell apart) is found out.
func digest(key string, chunks []string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(key), key, strings.Join(chunks, "")))
}

// pack cuts the value into chunks of text.
func pack(value string) []string {
	var zipped bytes.Buffer
	// The level is a constant in range and a buffer takes every write.
	w, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	_, _ = io.WriteString(w, value)
	_ = w.Close()
	text := base64.StdEncoding.EncodeToString(zipped.Bytes())
	var chunks []string
	for len(text) > chunkSize {
		chunks = append(chunks, text[:chunkSize])
		text = text[chunkSize:]
	}
	return append(chunks, text)
}

var errDamaged = errors.New("the parts do not make up what the head of the entry promises")

// unpack undoes pack after it has held the chunks against the header.
func unpack(key string, h header, chunks []string) (string, error) {
	if digest(key, chunks) != h.sum {
		return "", &Error{Kind: Corrupt, Err: errDamaged}
	}
	zipped, err := base64.StdEncoding.DecodeString(strings.Join(chunks, ""))
	if err != nil {
		return "", &Error{Kind: Corrupt, Err: errDamaged}
	}
	r, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return "", &Error{Kind: Corrupt, Err: errDamaged}
	}
	value, err := io.ReadAll(io.LimitReader(r, int64(h.size)+1))
	if err != nil || len(value) != h.size {
		return "", &Error{Kind: Corrupt, Err: errDamaged}
	}
	return string(value), nil
}

func checkSize(secret Secret) error {
	if size := len(secret.Reveal()); size > maxSecret {
		return &Error{Kind: TooBig, Err: fmt.Errorf("%d bytes, and %d is the most", size, maxSecret)}
	}
	return nil
}
