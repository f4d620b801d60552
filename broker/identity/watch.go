package identity

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// Watch follows the client's sign-in as Status tells of it, for a program that
// shows it: it asks no provider and renews nothing. The channel holds the newest
// status only. The first comes as soon as the keychain has answered, or as
// Loading when it takes its time; each later one within a second after something
// in it has become otherwise, by whatever process or by time alone. The channel
// is closed after ctx has ended.
func (a *Accounts) Watch(ctx context.Context, c Client) <-chan Status {
	w := &watcher{accounts: a, client: c, files: a.files(c), out: make(chan Status, 1), reads: make(chan stored, 1)}
	go w.run(ctx)
	return w.out
}

// watcher is one Watch. The keychain is read in a goroutine of its own: while it
// waits for a person, mcpauth lock shall be seen all the same.
type watcher struct {
	accounts *Accounts
	client   Client
	files    stateFiles
	out      chan Status
	told     *Status // what was sent last
	reads    chan stored
	reading  bool

	last     stored // as read last; none before the first
	loaded   bool
	failures int // reads in a row that failed
	readAt   time.Time
}

// stored is what one look into the keychain gave.
type stored struct {
	rec  *record
	err  error
	seen generation // before the look
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.out)
	ticker := time.NewTicker(cmp.Or(w.accounts.testOnlyWatchEvery, watchEvery))
	defer ticker.Stop()
	for {
		if !w.reading && w.due() {
			w.read(ctx)
		}
		select {
		case <-ctx.Done():
			if w.reading {
				<-w.reads
			}
			return
		case w.last = <-w.reads:
			w.took()
		case <-ticker.C:
		}
		w.tell()
	}
}

// due tells whether the keychain may hold something else than was read last.
func (w *watcher) due() bool {
	return !w.loaded || w.files.read() != w.last.seen ||
		w.failed() && !w.accounts.now().Before(w.readAt)
}

// failed tells whether the keychain did not answer, which it may do later.
func (w *watcher) failed() bool { return w.last.err != nil && !errors.Is(w.last.err, ErrSignedOut) }

func (w *watcher) read(ctx context.Context) {
	w.reading = true
	seen := w.files.read()
	go func() {
		rec, err := w.accounts.load(ctx, w.client)
		w.reads <- stored{rec, err, seen}
	}()
}

func (w *watcher) took() {
	w.reading, w.loaded = false, true
	if !w.failed() {
		w.failures = 0
		return
	}
	w.readAt = w.accounts.now().Add(readBackoff(w.failures))
	w.failures++
}

// tell sends the status as it is now, unless that is what was sent last.
func (w *watcher) tell() {
	now := Status{Snapshot: Snapshot{State: Loading}, StoredIn: w.accounts.store.Name()}
	if w.loaded {
		now = w.accounts.status(w.client, w.last.rec, w.last.err)
	}
	if w.told != nil && now.same(*w.told) {
		return
	}
	w.told = &now
	select {
	case <-w.out: // nobody has taken the one before
	default:
	}
	w.out <- now
}

// same tells whether two look the same to whoever shows them.
func (s Status) same(other Status) bool {
	return sameFace(s.Snapshot, other.Snapshot) && s.StoredIn == other.StoredIn && s.ACR == other.ACR &&
		s.HasRefreshToken == other.HasRefreshToken && s.ObtainedAt.Equal(other.ObtainedAt) && s.ExpiresAt.Equal(other.ExpiresAt) &&
		s.SignedInAt.Equal(other.SignedInAt) && s.EndsAt.Equal(other.EndsAt)
}
