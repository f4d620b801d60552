package broker

import "context"

// Query is one question to the user at a terminal.
type Query struct {
	Title   string
	Help    string   // a line or two below the title; may be empty
	Options []Option // to choose one of; none for a text
	Several bool     // any number of the options
	Secret  bool     // a text that is not shown
	Preset  string   // the answer that stands there at first
	// Check says why a text cannot be taken; nil takes all. It may take its time.
	Check func(text string) error
}

// Option is one possible answer.
type Option struct {
	Value, Label string
	On           bool // with Several: chosen at first
}

// Ask puts a question and returns the answer: one text, or with Several any number
// of them. It returns context.Canceled when the user breaks it off.
type Ask func(ctx context.Context, q Query) ([]string, error)
