package broker

import (
	"fmt"
	"sync"

	"github.com/mcpauth/mcpauth/broker/relay"
)

// strayLog counts and logs what the relay drops because it has no meaning.
type strayLog struct {
	log   *logbook
	mu    sync.Mutex
	count [relay.StrayReply + 1]int
}

func (s *strayLog) note(what relay.Stray, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[what]++
	line := what.String() + ": " + excerpt(text)
	if n := s.count[what]; n > 1 {
		line += fmt.Sprintf(" (%d times)", n)
	}
	s.log.say(line)
}

// excerpt makes a stray line fit for a log.
func excerpt(line []byte) string {
	const most = 200
	text := fmt.Sprintf("%q", line[:min(len(line), most)])
	if len(line) > most {
		text += "…"
	}
	return text
}
