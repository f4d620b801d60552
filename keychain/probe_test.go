package keychain

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "keychain-probe" {
		os.Exit(probe(os.Args[2], append(os.Args[3:], "", "")))
	}
	os.Exit(m.Run())
}

// probe is this test binary as another process, told by arguments what to do,
// because it may have no environment.
func probe(what string, args []string) int {
	switch what {
	case "lock":
		return holdLock(args[0])
	case "store":
		return useStore(args[0], args[1])
	}
	return 2
}
