package screen

import "github.com/mcpauth/mcpauth/tui/widget"

// What screens ask of the model, beside the actions of every widget.
type (
	Overlay    struct{ Screen } // lays a screen over the others, until closed
	Closed     struct{}         // takes the topmost overlay away
	ShowTab    string           // goes to a tab
	ShowLog    struct{}         // shows what the server logged
	ReadURI    string           // goes to Resources and reads this one
	Reconnect  struct{}         // starts the server again
	Reread     struct{}         // reads profile and sign-in again
	UseProfile string           // goes on with another profile

	// AsModel carries an action out in the model's own name: what its jobs say goes to
	// the model, since the screen that began them is closed.
	AsModel struct{ widget.Action }
	// BindingChosen does what a binding does, on the screen that is on top then.
	BindingChosen struct{ widget.Binding }
)

// Over lays a screen over the others.
func Over(s Screen) widget.Action { return Overlay{s} }

// LogBinding is the key that shows the server's log.
func LogBinding(key, label string) widget.Binding {
	return widget.Bind(key, label, "what the server logs and writes to stderr", widget.Does(ShowLog{}))
}
