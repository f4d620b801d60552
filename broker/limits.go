package broker

import (
	"fmt"
	"math"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/relay"
	"github.com/mcpauth/mcpauth/keychain"
)

// limiter counts the calls of each user against the limits of the policy. The
// counts are in a file that all proxies of a profile share, so that an allowance
// is one, however many AI clients there are. It is asked only for tools that a
// limit is about.
type limiter struct {
	stateDir string
	profile  func() string
	server   string

	mu sync.Mutex // spares the proxy's own calls the wait for the file's lock
}

// limitAsk is a way to ask a limiter: its take or its peek.
type limitAsk func(limits []policy.ToolLimit, sub, tool string, now time.Time) (wait time.Duration, limit string, err error)

// limited asks the limiter about a call, and refuses one that is too many.
func (g *gate) limited(m *relay.Message, now *identity.Snapshot, ask limitAsk) (verdict relay.Verdict, limited bool) {
	if m.Method() != "tools/call" {
		return verdict, false
	}
	limits := g.doors.policy.current.Load().Limits(m.Name())
	switch wait, limit, err := ask(limits, now.User.Sub, m.Name(), m.Now()); {
	case err != nil:
		g.record(m, &now.User, audit.Refused, "the policy limits it, and it could not be counted")
		return g.refuse(m, codeUnrecorded, uncountedWords(err)), true
	case wait > 0:
		g.record(m, &now.User, audit.Deny, "limit: "+limit)
		return g.refuse(m, codeDenied, limitWords(m.Name(), limit, wait)), true
	}
	return verdict, false
}

const (
	// maxBuckets bounds the file, as a model can make up as many names as it likes.
	maxBuckets = 10_000
	// limitPatience bounds the wait for another proxy that counts, which takes it
	// some 50 µs.
	limitPatience = 100 * time.Millisecond
	limitPoll     = 200 * time.Microsecond
)

// take counts a call. When a limit is reached it counts nothing, and returns how
// long to wait and what the limit is. What cannot be counted is an error.
func (l *limiter) take(limits []policy.ToolLimit, sub, tool string, now time.Time) (wait time.Duration, limit string, err error) {
	return l.ask(limits, sub, tool, now, true)
}

// peek is take, but counts nothing.
func (l *limiter) peek(limits []policy.ToolLimit, sub, tool string, now time.Time) (wait time.Duration, limit string, err error) {
	return l.ask(limits, sub, tool, now, false)
}

func (l *limiter) ask(limits []policy.ToolLimit, sub, tool string, now time.Time, count bool) (wait time.Duration, limit string, err error) {
	if len(limits) == 0 {
		return 0, "", nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	path := filepath.Join(l.stateDir, "limits", l.profile()+".counts")
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
	for _, one := range limits {
		key := countKey(l.profile(), one.ID, sub, "", "")
		if !one.Shared {
			key = countKey(l.profile(), one.ID, sub, l.server, policy.Fold(tool))
		}
		delay := counts.take(key, one, now)
		if delay > wait {
			wait, limit = delay, one.Text
		}
	}
	if wait > 0 || !count {
		return wait, limit, nil
	}
	return 0, "", counts.write()
}

// lock takes the lock of the counts, and waits no longer than a call may.
func (l *limiter) lock(path string) (unlock func(), err error) {
	for end := time.Now().Add(limitPatience); ; time.Sleep(limitPoll) {
		unlock, ok, err := keychain.TryLock(path)
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
func limitWords(tool, limit string, wait time.Duration) string {
	if wait == rate.InfDuration {
		return "Not sent: too many different tools were called. Do not call this one again."
	}
	return fmt.Sprintf("Not sent: the policy allows %s of %s, and that is used up. Wait %s, then call it again.",
		limit, tool, atLeastWords(wait))
}

// atLeastWords spell a time, rounded up, in a unit of which there are not many.
func atLeastWords(wait time.Duration) string {
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
func uncountedWords(err error) string {
	return fmt.Sprintf("The call was not sent, because the policy limits it and it could not be counted: %v. "+
		"The user can make room or mend the rights of the folder, then try again.", err)
}
