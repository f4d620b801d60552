package identity

import "context"

// Keys are the keys under which a client's sign-in and, unless secretRef is
// empty, its client_secret are in a store: what has to move with it.
func Keys(c Client, secretRef string) []string {
	keys := []string{c.key()}
	if secretRef != "" {
		keys = append(keys, secretKey(secretRef))
	}
	return keys
}

// Hold keeps everybody on this machine from changing the client's sign-in until
// release is called. It waits for a refresh under way, until ctx ends.
func (a *Accounts) Hold(ctx context.Context, c Client) (release func(), err error) {
	return a.sharedOf(c).Lock(ctx)
}

// Tell has every running session of the client read its sign-in again.
func (a *Accounts) Tell(c Client) error { return a.sharedOf(c).Bump() }
