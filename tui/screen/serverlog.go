package screen

import (
	"time"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/text"
)

// ServerLog is what the server logged and wrote to its standard error in this
// session, the newest last.
type ServerLog struct {
	Lines []LogLine
	Total int // with those that were dropped
}

// LogLine is a line of a log, cleaned.
type LogLine struct {
	At          time.Time
	Level, Text string
}

// Levels of lines that no server gives.
const (
	levelStderr = "stderr"
	LevelOurs   = "mcpauth" // we say it: the server was started, is waited for, or ended
)

// MaxLogLines bounds the lines that are kept.
const MaxLogLines = 5000

func (l *ServerLog) Add(line LogLine) {
	l.Total++
	if len(l.Lines) >= MaxLogLines { // a tenth at a time: it may be moved
		l.Lines = append(l.Lines[:0], l.Lines[MaxLogLines/10:]...)
	}
	l.Lines = append(l.Lines, line)
}

// Logged is the line that an event is; ok is false for other events.
func Logged(e mcpclient.Event, now time.Time) (line LogLine, ok bool) {
	line = LogLine{now, text.CleanLine(e.Level), text.CleanLine(e.Message)}
	switch e.Kind {
	case mcpclient.EventStderr:
		line.Level = levelStderr
	case mcpclient.EventWaiting, mcpclient.EventWarning:
		line.Level = LevelOurs
	case mcpclient.EventLog:
	default:
		return LogLine{}, false
	}
	if !e.Time.IsZero() {
		line.At = e.Time
	}
	return line, true
}

// Serious reports whether a line tells of trouble, as far as its level says so.
func (l LogLine) Serious() bool {
	switch l.Level {
	case "debug", "info", "notice", levelStderr, LevelOurs:
		return false
	}
	return true
}
