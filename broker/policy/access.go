package policy

// Access is what the policy says to an item before anybody uses it.
type Access struct {
	Allowed bool
	Effect  string // "allow", "deny" or "step_up", as Effect.String
	Rule    string // what decided
	Why     string // for people; empty where Allowed
	Hints   []string
	Notes   []string // what else stands between a call and the item
}
