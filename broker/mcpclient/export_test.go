package mcpclient

// What the tests of the outside need to know.
const (
	MaxLogLine     = maxLogLine
	TasksExtension = tasksExtension
)
