package keychain

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "keychain-probe" {
		os.Exit(probe(os.Args[2], append(os.Args[3:], "", "")))
	}
	code := m.Run()
	// The real keychain's connection stays for the life of the process.
	if code == 0 && os.Getenv("MCPAUTH_REAL_KEYCHAIN") != "1" {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// probe is this test binary as another process, told by arguments what to do,
// because it may have no environment.
func probe(what string, args []string) int {
	switch what {
	case "lock":
		return holdLock(args[0])
	case "store":
		return useStore(args[0], args[1])
	case "rewrite":
		return rewrite()
	}
	return 2
}
