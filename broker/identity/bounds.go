package identity

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// LockedError means that the user has locked mcpauth on this machine: every
// sign-in is kept, and none may be used before [Accounts.Unlock]. It is
// [ErrSignedOut].
type LockedError struct{}

func (*LockedError) Error() string { return "mcpauth is locked on this machine" }

// Is makes it ErrSignedOut.
func (*LockedError) Is(target error) bool { return target == ErrSignedOut }

// lockFile is there while mcpauth is locked, for all clients and across
// restarts.
func (a *Accounts) lockFile() string { return filepath.Join(a.stateDir, "locked") }

// Lock cuts every running session on this machine off within a second, and
// lets nobody use a sign-in before Unlock. It is no error when mcpauth is
// locked already.
func (a *Accounts) Lock() error {
	if err := os.MkdirAll(a.stateDir, 0o700); err != nil {
		return fmt.Errorf("locking: %w", err)
	}
	file, err := os.OpenFile(a.lockFile(), os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return fmt.Errorf("locking: %w", err)
	}
	return nil
}

// Locked reports whether mcpauth is locked. A state folder that cannot be looked
// into counts as locked.
func (a *Accounts) Locked() bool { return !absent(a.lockFile()) }

// absent reports that there is nothing at path, and that nothing hides it: the
// folder that would hold it can be looked into, or could be made. Windows says
// "not found", too, where a file is in the place of a folder; and so does every
// system for a folder behind a link that leads nowhere.
func absent(path string) bool {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	if err == nil {
		return info.IsDir()
	}
	return folder != path && absent(folder)
}

// LiftLock undoes Lock without asking anybody. It is for Unlock, and for those
// who have left no sign-in to be kept from.
func (a *Accounts) LiftLock() error {
	if err := os.Remove(a.lockFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unlocking: %w", err)
	}
	return nil
}

// outlived says why a sign-in is over by a limit of its profile, whatever the
// provider would allow, or nothing.
func (c Client) outlived(r *record, lastUse, now time.Time) *EndedError {
	if r == nil || r.dead != "" {
		return nil
	}
	end := c.endOf(r, lastUse)
	switch {
	case end.IsZero() || now.Before(end):
		return nil
	case c.AbsoluteLimit > 0 && end.Equal(r.signedInAt.Add(c.AbsoluteLimit)):
		return &EndedError{Reason: "the profile allows " + spell(c.AbsoluteLimit) + " after a sign-in", At: end}
	}
	return &EndedError{Reason: "the profile allows " + spell(c.IdleLimit) + " without a call", At: end}
}

// endOf is when the limits of the client end a sign-in that was used last at
// lastUse, or the zero time when there are none.
func (c Client) endOf(r *record, lastUse time.Time) time.Time {
	var end time.Time
	if c.IdleLimit > 0 {
		if r.signedInAt.After(lastUse) {
			lastUse = r.signedInAt
		}
		end = lastUse.Add(c.IdleLimit)
	}
	if last := r.signedInAt.Add(c.AbsoluteLimit); c.AbsoluteLimit > 0 && (end.IsZero() || last.Before(end)) {
		end = last
	}
	return end
}

// spell is a limit for people, without the zeros that Duration.String has.
func spell(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		switch n := d / unit.length; {
		case d%unit.length != 0:
		case n == 1:
			return "one " + unit.name
		case n > 1:
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return d.String()
}

// stopped says why the sign-in may not be used now, though it is there: a
// [*LockedError] or an [*EndedError]. Otherwise it is nil.
func (s *Session) stopped(r *record, now time.Time) error {
	if s.locked.Load() {
		return &LockedError{}
	}
	if over := s.outlived(r, now); over != nil {
		return over
	}
	return nil
}

func (s *Session) outlived(r *record, now time.Time) *EndedError {
	return s.client.outlived(r, s.lastUsed(), now)
}

// lastUsed is the last use in any process as far as known, or the zero time.
func (s *Session) lastUsed() time.Time { return timeOf(s.lastUse.Load()) }

func timeOf(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds)
}

// expire ends a sign-in that a limit of its profile is over for: its tokens are
// deleted here and revoked at the provider, so that nobody finds them later, and
// no other limit brings it back. It is done
// in the background, like a refresh.
func (s *Session) expire(ctx context.Context) {
	s.update(func(st *sessionState) { st.renewing++ })
	go func() {
		defer s.update(func(st *sessionState) { st.renewing-- })
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTimeout)
		defer cancel()
		ended, err := s.endUnderLock(ctx)
		s.renewed(err)
		if ended != nil {
			s.accounts.giveUp(ctx, s.client.withNewestSecret(ctx), ended)
		}
	}()
}

// endUnderLock returns the record that it has ended, or nil when there is nothing
// to end any more: the user signed in again or made a call, or another process was faster.
func (s *Session) endUnderLock(ctx context.Context) (*record, error) {
	unlock, err := s.lock(ctx, false)
	if err != nil {
		return nil, err
	}
	defer unlock()
	s.reload(ctx)
	if err := s.readError(); err != nil {
		return nil, err
	}
	_, state := s.look()
	over := s.outlived(state.rec, s.accounts.now())
	if over == nil {
		return nil, nil
	}
	return state.rec, s.keep(ctx, state.rec.ended(over.Reason, over.At), state.rec)
}

func (s *Session) seeLock() {
	locked := s.accounts.Locked()
	if s.locked.Swap(locked) != locked {
		s.update(func(*sessionState) {})
	}
}

// Used tells that the person's client made a call, which keeps an idle limit
// from being reached. It is cheap.
func (s *Session) Used() {
	if s.client.IdleLimit > 0 {
		s.lastUse.Store(s.accounts.now().UnixNano())
	}
}

// maxUseLag bounds how far the shared time of the last use may be behind.
const maxUseLag = 30 * time.Second

// shareUse learns of uses in other processes, and tells them of ours when they
// know of none since a twentieth of the limit, or in any case at the end.
func (s *Session) shareUse(end bool) {
	limit := s.client.IdleLimit
	if limit <= 0 {
		return
	}
	last := s.lastUse.Load()
	shared, ours := s.shared.LastUse(), timeOf(last)
	switch {
	case shared.After(ours):
		s.lastUse.CompareAndSwap(last, shared.UnixNano())
	case end && ours.After(shared), ours.Sub(shared) > min(limit/20, maxUseLag):
		s.shared.Use(ours)
	}
}
