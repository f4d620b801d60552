package explorer

import "sync"

// awaited is what the server may tell of, by the id that it tells it with.
type awaited[T any] struct {
	mu   sync.Mutex
	byID map[string]T
}

// await notes whom to tell. The function that it returns ends that.
func (a *awaited[T]) await(id string, whom T) (over func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byID == nil {
		a.byID = map[string]T{}
	}
	a.byID[id] = whom
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.byID, id)
	}
}

// of is whom to tell; the zero T when nobody waits.
func (a *awaited[T]) of(id string) T {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byID[id]
}
