package audit

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// IDs makes ids for records that others refer to. The zero IDs is ready, and safe
// for concurrent use.
type IDs struct {
	mu     sync.Mutex
	source idSource
}

// Next is an id for this moment. [Log.Append] makes others of the same form.
func (s *IDs) Next(t time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.source.next(t))
}

// An idSource makes ids of 23 characters that sort by time, within one process
// also inside a millisecond: 48 bits of Unix milliseconds and 64 random bits, which
// are counted on while the millisecond lasts. An id is a name and no secret.
type idSource struct {
	millisecond uint64
	low         uint64
	id          [23]byte
}

// base32 is Crockford's alphabet: in the order of ASCII, and without I, L, O and U.
const base32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// next is valid until the call after it.
func (s *idSource) next(t time.Time) []byte {
	ms := uint64(t.UnixMilli())
	if ms == s.millisecond {
		s.low++
	} else {
		s.millisecond, s.low = ms, rand.Uint64()>>1 // room to count
	}
	put(s.id[:10], ms)
	put(s.id[10:], s.low)
	return s.id[:]
}

// put writes the low bits of n, most significant first.
func put(dst []byte, n uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = base32[n&31]
		n >>= 5
	}
}

// idTime is the moment that an ID of ours was made at, in milliseconds.
func idTime(id string) (at time.Time, ok bool) {
	if len(id) != len(idSource{}.id) {
		return at, false
	}
	ms := int64(0)
	for i := range 10 {
		digit := strings.IndexByte(base32, id[i])
		if digit < 0 {
			return at, false
		}
		ms = ms<<5 | int64(digit)
	}
	return time.UnixMilli(ms), true
}
