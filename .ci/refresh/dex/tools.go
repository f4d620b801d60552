//go:build tools

// Package dex pins the version of Dex that the refresh tests build.
package dex

import _ "github.com/dexidp/dex/cmd/dex"
