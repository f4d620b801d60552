package relay

import (
	"context"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPipesOfTheClientAreWidened(t *testing.T) {
	in, toUs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	_ = toUs.Close() // a client that is gone at once
	heard, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	defer out.Close()
	New(Config{
		Client: Endpoint{R: in, W: out}, Backend: Endpoint{R: strings.NewReader(""), W: &strings.Builder{}},
		Gate: &openGate{}, Stray: func(Stray, []byte) {}, ClientGone: func() {}, ExitReason: func() string { return "" },
	}).Run(context.Background())
	for name, pipe := range map[string]*os.File{"in": in, "out": out} {
		if size, err := unix.FcntlInt(pipe.Fd(), unix.F_GETPIPE_SZ, 0); err != nil || size < 256<<10 {
			t.Errorf("%s holds %d bytes, error %v", name, size, err)
		}
	}
}
