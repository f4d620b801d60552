package mcpclient

import "sync"

// awaited holds what waits for news from the server, by the id in that news.
type awaited[T any] struct {
	mu   sync.Mutex
	byID map[string]T
}

// await notes the waiter of an id. The function that it returns ends that.
func (a *awaited[T]) await(id string, waiter T) (over func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byID == nil {
		a.byID = map[string]T{}
	}
	a.byID[id] = waiter
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.byID, id)
	}
}

// of is the waiter of an id, or the zero T.
func (a *awaited[T]) of(id string) T {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byID[id]
}
