package gate

import (
	"fmt"
	"math"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/keychain/sharedfile"
)

// Limiter counts the calls of each user against the limits of the policy. It is
// asked only for tools that have a limit.
type Limiter interface {
	// Ask returns how long a call must wait and for which limit; 0 where it may go
	// now. What cannot be counted is an error.
	Ask(call LimitedCall) (wait time.Duration, limit string, err error)
}

// LimitedCall is a call of a tool that has limits.
type LimitedCall struct {
	Profile, Server, Sub, Tool string

	Limits []policy.ToolLimit
	Time   time.Time
	Count  bool // whether the call is counted, if it need not wait
}

// limiter is the [Limiter] of the proxies of a machine. The counts are in a file
// that all proxies of a profile share, so that an allowance is one, however many AI
// clients there are.
type limiter struct {
	stateDir string

	mu sync.Mutex // spares the proxy's own calls the wait for the file's lock
}

const (
	// maxBuckets bounds the file, as a model can make up as many names as it likes.
	maxBuckets = 10_000
	// limitPatience bounds the wait for another proxy that counts, which takes it
	// some 50 µs.
	limitPatience = 100 * time.Millisecond
	limitPoll     = 200 * time.Microsecond
)

// Ask implements Limiter.
func (l *limiter) Ask(call LimitedCall) (wait time.Duration, limit string, err error) {
	if len(call.Limits) == 0 {
		return 0, "", nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	path := filepath.Join(l.stateDir, "limits", call.Profile+".counts")
	unlock, err := l.lock(path + ".lock")
	if err != nil {
		return 0, "", err
	}
	defer unlock()
	counts, err := openCounts(path)
	if err != nil {
		return 0, "", err
	}
	defer counts.close()
	for _, one := range call.Limits {
		key := countKey(call.Profile, one.ID, call.Sub, "", "")
		if !one.Shared {
			key = countKey(call.Profile, one.ID, call.Sub, call.Server, policy.Fold(call.Tool))
		}
		if delay := counts.take(key, one, call.Time); delay > wait {
			wait, limit = delay, one.Text
		}
	}
	if wait > 0 || !call.Count {
		return wait, limit, nil
	}
	return 0, "", counts.write()
}

// lock takes the lock of the counts, and waits no longer than a call may.
func (l *limiter) lock(path string) (unlock func(), err error) {
	for end := time.Now().Add(limitPatience); ; time.Sleep(limitPoll) {
		unlock, ok, err := sharedfile.TryLock(path)
		switch {
		case err != nil:
			return nil, err
		case ok:
			return unlock, nil
		case time.Now().After(end):
			return nil, fmt.Errorf("another proxy holds %s", path)
		}
	}
}

// bucket makes the limiter that will be full again at a moment, as it is now.
func bucket(one policy.ToolLimit, fullAt, now time.Time) *rate.Limiter {
	burst := one.Burst
	if burst == 0 {
		burst = one.Count
	}
	perSecond := float64(one.Count) / one.Per.Seconds()
	bucket := rate.NewLimiter(rate.Limit(perSecond), burst)
	filling := time.Duration(float64(burst) / perSecond * float64(time.Second))
	if fullAt.After(now.Add(filling)) {
		fullAt = now.Add(filling) // the clock was set back
	}
	if fullAt.After(now) {
		bucket.ReserveN(fullAt.Add(-filling), burst) // when it was empty
	}
	return bucket
}

// fullAgain is when a limiter will be full, if nobody takes from it.
func fullAgain(bucket *rate.Limiter, now time.Time) time.Time {
	missing := float64(bucket.Burst()) - bucket.TokensAt(now)
	return now.Add(time.Duration(missing / float64(bucket.Limit()) * float64(time.Second)))
}

// limitWords tell a model to wait.
func limitMessage(tool, limit string, wait time.Duration) string {
	if wait == rate.InfDuration {
		return "Not sent: too many different tools were called. Do not call this one again."
	}
	return fmt.Sprintf("Not sent: the policy allows %s of %s, and that is used up. Wait %s, then call it again.",
		limit, tool, atLeast(wait))
}

// atLeast spell a time, rounded up, in the largest unit that fits.
func atLeast(wait time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{time.Hour, "hours"}, {time.Minute, "minutes"}} {
		if wait > 2*unit.length {
			return fmt.Sprintf("%.0f %s", math.Ceil(wait.Seconds()/unit.length.Seconds()), unit.name)
		}
	}
	return fmt.Sprintf("%.0f seconds", math.Ceil(wait.Seconds()))
}

// uncountedWords tell a model of a call that is limited and could not be counted.
func uncountedMessage(err error) string {
	return fmt.Sprintf("The call was not sent, because the policy limits it and it could not be counted: %v. "+
		"The user can make room or correct the permissions of the folder, then try again.", err)
}
