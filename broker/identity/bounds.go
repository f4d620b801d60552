package identity

import (
	"context"
	"time"
)

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
