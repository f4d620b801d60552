package identity

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// stateFiles are the files of one sign-in in the state folder. None of
// them says anything about its user.
type stateFiles struct {
	lock       string // held by whoever writes the sign-in; see keychain.Lock
	generation string // grows by a byte at each change, so that a stat tells of it
	page       string // held by whoever has a sign-in page open
	pause      string // its time stamp is when the provider may be asked again
	background string // held by a sign-in in the background
	report     string // how that ended
	used       string // its time stamp is when a call was made last, where there is an idle limit
}

func (a *Accounts) files(c Client) stateFiles {
	base := filepath.Join(a.stateDir, c.slot())
	return stateFiles{
		lock: base + ".lock", page: base + ".page", generation: base + ".gen", pause: base + ".pause", used: base + ".used",
		background: base + ".background", report: base + ".report",
	}
}

// generation is what a stat tells of the generation file. Two are equal when
// nothing was written between them.
type generation struct {
	size  int64
	mtime time.Time
}

// read returns the zero generation when nobody has ever written.
func (f stateFiles) read() generation {
	info, err := os.Stat(f.generation)
	if err != nil {
		return generation{}
	}
	return generation{info.Size(), info.ModTime()}
}

// bump tells every running session that the stored sign-in has changed. The
// file is appended to and not replaced: two changes within one tick of the
// file system's clock then still differ in size.
func (f stateFiles) bump() error {
	if err := os.MkdirAll(filepath.Dir(f.generation), 0o700); err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	file, err := os.OpenFile(f.generation, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("telling running sessions: %w", err)
	}
	_, err = file.Write([]byte{'.'})
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("telling running sessions: %w", err)
	}
	return nil
}

// maxPause bounds every wait for a provider, so that a clock that jumps, or a
// file with a strange time stamp, cannot stop the refreshing for good.
const maxPause = time.Minute

// pausedUntil is when the provider may be asked again, or the zero time. It is
// shared by all processes: twenty proxies must not each find out by
// themselves that the provider is overloaded.
func (f stateFiles) pausedUntil(now time.Time) time.Time {
	info, err := os.Stat(f.pause)
	if err != nil || !pauseHolds(info.ModTime(), now) {
		return time.Time{}
	}
	return info.ModTime()
}

func pauseHolds(until, now time.Time) bool {
	return now.Before(until) && until.Sub(now) <= maxPause
}

// setPause is best effort: without it each process pauses by itself.
func (f stateFiles) setPause(until time.Time) { stamp(f.pause, until) }
