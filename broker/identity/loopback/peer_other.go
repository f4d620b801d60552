//go:build !linux

package loopback

import "net/http"

// peerOf knows nothing here: the system does not say whose a connection is.
func peerOf(*http.Request) peer { return peer{} }
