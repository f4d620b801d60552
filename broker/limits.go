package broker

import (
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/mcpauth/mcpauth/broker/policy"
)

// limiter counts the calls of each user against the limits of the policy. The
// counts are of one proxy: others have their own.
type limiter struct {
	mu      sync.Mutex
	buckets map[bucketKey]*rate.Limiter
}

// bucketKey tells allowances apart. A limit that a reload leaves as it is keeps
// its count.
type bucketKey struct {
	limit, sub string
	tool       string // empty where all tools share one
}

// maxBuckets bounds the memory of names that a model makes up.
const maxBuckets = 10_000

// take counts a call. When a limit is reached it counts nothing, and returns how
// long to wait and what the limit is.
func (l *limiter) take(limits []policy.ToolLimit, sub, tool string, now time.Time) (wait time.Duration, limit string) {
	if len(limits) == 0 {
		return 0, ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var taken []*rate.Reservation
	for _, one := range limits {
		key := bucketKey{limit: one.ID, sub: sub, tool: tool}
		if one.Shared {
			key.tool = ""
		}
		reservation := l.bucket(key, one, now).ReserveN(now, 1)
		taken = append(taken, reservation)
		if delay := reservation.DelayFrom(now); delay > wait {
			wait, limit = delay, one.Text
		}
	}
	if wait > 0 {
		for _, reservation := range taken {
			reservation.CancelAt(now)
		}
	}
	return wait, limit
}

func (l *limiter) bucket(key bucketKey, one policy.ToolLimit, now time.Time) *rate.Limiter {
	if bucket := l.buckets[key]; bucket != nil {
		return bucket
	}
	if l.buckets == nil {
		l.buckets = map[bucketKey]*rate.Limiter{}
	}
	if len(l.buckets) >= maxBuckets {
		for old, bucket := range l.buckets {
			if bucket.TokensAt(now) >= float64(bucket.Burst()) {
				delete(l.buckets, old) // full: a new one says the same
			}
		}
	}
	burst := one.Burst
	if burst == 0 {
		burst = one.Count
	}
	if len(l.buckets) >= maxBuckets {
		return rate.NewLimiter(0, 0) // too many names at once: none of them passes
	}
	bucket := rate.NewLimiter(rate.Limit(float64(one.Count)/one.Per.Seconds()), burst)
	l.buckets[key] = bucket
	return bucket
}

// limitWords tell a model to wait.
func limitWords(tool, limit string, wait time.Duration) string {
	if wait == rate.InfDuration {
		return "Not sent: too many different tools were called. Do not call this one again."
	}
	return fmt.Sprintf("Not sent: the policy allows %s of %s, and that is used up. Wait %d seconds, then call it again.",
		limit, tool, int(math.Ceil(wait.Seconds())))
}
