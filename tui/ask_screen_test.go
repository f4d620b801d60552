package tui

import (
	"strings"
	"sync"
	"time"
)

// typedScreen is an output that can be waited for.
type typedScreen struct {
	mu      sync.Mutex
	written strings.Builder
	changed chan struct{}
}

func (s *typedScreen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return s.written.Write(p)
}

func (s *typedScreen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written.String()
}

// shows waits until the screen shows a text.
func (s *typedScreen) shows(text string) bool {
	late := time.After(20 * time.Second)
	for !strings.Contains(s.text(), text) {
		select {
		case <-s.changed:
		case <-late:
			return false
		}
	}
	return true
}

// end is the last of what was written.
func (s *typedScreen) end() string {
	text := s.text()
	return text[max(0, len(text)-500):]
}
