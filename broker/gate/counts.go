package gate

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/time/rate"

	"github.com/mcpauth/mcpauth/broker/policy"
)

// counts are the allowances that were used: of each a key, and
// when it will be full again, which says all of a token bucket. One that is full
// is as good as none, and its place is free. The caller holds their lock.
type counts struct {
	file    *os.File
	data    []byte
	changed map[int]struct{} // offsets of entries that are not written yet
}

type countID [16]byte

// countSize is a key and a time in nanoseconds since 1970.
const countSize = len(countID{}) + 8

// countKey names an allowance, without telling of whom and what.
func countKey(profile, limit, sub, server, tool string) countID {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", profile, limit, sub, server, tool))
	return countID(sum[:])
}

func openCounts(path string) (*counts, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	c := &counts{file: file, changed: map[int]struct{}{}}
	if c.data, err = io.ReadAll(io.NewSectionReader(file, 0, maxBuckets*int64(countSize))); err != nil {
		c.close()
		return nil, err
	}
	c.data = c.data[:len(c.data)-len(c.data)%countSize] // half an entry is none
	return c, nil
}

func (c *counts) close() { _ = c.file.Close() }

// take takes one call from an allowance and returns how long to wait for it.
func (c *counts) take(key countID, one policy.ToolLimit, now time.Time) time.Duration {
	at, fullAt, ok := c.find(key, now)
	if !ok {
		return rate.InfDuration // too many names at once: none of them passes
	}
	bucket := bucket(one, fullAt, now)
	reservation := bucket.ReserveN(now, 1)
	if delay := reservation.DelayFrom(now); delay > 0 {
		return delay
	}
	copy(c.data[at:], key[:])
	binary.BigEndian.PutUint64(c.data[at+len(key):], uint64(fullAgain(bucket, now).UnixNano()))
	c.changed[at] = struct{}{}
	return 0
}

// find returns the place of a key, or one for it, and when it is full.
func (c *counts) find(key countID, now time.Time) (at int, fullAt time.Time, ok bool) {
	free := -1
	for at := 0; at < len(c.data); at += countSize {
		fullAt := c.fullAt(at)
		if bytes.Equal(c.data[at:at+len(key)], key[:]) {
			return at, fullAt, true
		}
		if _, taken := c.changed[at]; free < 0 && !taken && !fullAt.After(now) {
			free = at
		}
	}
	if free < 0 && len(c.data) < maxBuckets*countSize {
		free = len(c.data)
		c.data = append(c.data, make([]byte, countSize)...)
	}
	return free, time.Time{}, free >= 0
}

func (c *counts) fullAt(at int) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(c.data[at+len(countID{}):])))
}

// write keeps what was taken.
func (c *counts) write() error {
	for at := range c.changed {
		if _, err := c.file.WriteAt(c.data[at:at+countSize], int64(at)); err != nil {
			return err
		}
	}
	return nil
}
