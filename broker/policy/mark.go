package policy

// Mark is what the policy says to an item before anybody uses it.
type Mark struct {
	Allowed bool
	Effect  string // "allow", "deny" or "step_up", as Effect.String
	Rule    string // what decided
	Why     string // for people; empty where Allowed
	Cures   []string
	Notes   []string // what else stands between a call and the item
}
