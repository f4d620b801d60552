package relay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// copier is the raw pipe that a relay is measured against: it reads and writes
// and looks at nothing.
func copier(to io.Writer, from io.Reader) {
	buf := make([]byte, bufferSize)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pipes are the four ends that a client and a backend hold, as real pipes.
type pipes struct {
	clientIn, backendIn   *os.File // what they say is written here
	clientOut, backendOut *os.File // what they hear is read here
	relay                 Config   // with the other ends
	close                 func()
}

func newPipes(b *testing.B) *pipes {
	b.Helper()
	var all []*os.File
	pair := func() (*os.File, *os.File) {
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, r, w)
		return r, w
	}
	p := &pipes{}
	var up, heard, down, told *os.File
	up, p.clientIn = pair()
	p.backendOut, told = pair()
	down, p.backendIn = pair()
	p.clientOut, heard = pair()
	p.relay = Config{
		Client: Endpoint{R: up, W: heard}, Backend: Endpoint{R: down, W: told},
		Gate: &openGate{}, Reserved: testReserved,
		Stray: func(Stray, []byte) {}, ClientGone: func() {}, ExitReason: func() string { return "" },
	}
	p.close = func() {
		for _, f := range all {
			_ = f.Close()
		}
	}
	b.Cleanup(p.close)
	return p
}

// between starts what stands between the two ends.
func (p *pipes) between(raw bool) {
	if !raw {
		go New(p.relay).Run(context.Background())
		return
	}
	go copier(p.relay.Backend.W, p.relay.Client.R)
	go copier(p.relay.Client.W, p.relay.Backend.R)
}

// BenchmarkThroughput sends long lines in one direction, through a pipe that is
// only copied and through the relay: their ratio is what counts.
func BenchmarkThroughput(b *testing.B) {
	for _, size := range []int{64 << 10, 1 << 20, 16 << 20} {
		text := strings.Repeat("QUJDREVGR0g=", size/12)
		up := []byte(`{"method":"tools/call","params":{"name":"echo","arguments":{"d":"` + text + `"}},"jsonrpc":"2.0","id":1}` + "\n")
		answer := []byte(`{"result":{"content":[{"type":"text","text":"` + text + `"}]},"jsonrpc":"2.0","id":1}` + "\n")
		for _, kind := range []string{"pipe", "relay"} {
			b.Run(fmt.Sprintf("%dKiB/up/%s", size>>10, kind), func(b *testing.B) {
				p := newPipes(b)
				p.between(kind == "pipe")
				cancel := []byte(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}` + "\n")
				passLines(b, p.clientIn, p.backendOut, append(up, cancel...), func() {})
			})
			b.Run(fmt.Sprintf("%dKiB/down/%s", size>>10, kind), func(b *testing.B) {
				p := newPipes(b)
				p.between(kind == "pipe")
				call, buf := []byte(`{"method":"ping","jsonrpc":"2.0","id":1}`+"\n"), make([]byte, bufferSize)
				passLines(b, p.backendIn, p.clientOut, answer, func() { // an answer belongs to a call
					if _, err := p.clientIn.Write(call); err != nil {
						b.Fatal(err)
					}
					if _, err := p.backendOut.Read(buf); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

// passLines sends the text b.N times, each time after before, and waits for each to
// arrive.
func passLines(b *testing.B, in io.Writer, out io.Reader, text []byte, before func()) {
	buf := make([]byte, bufferSize)
	want := bytes.Count(text, []byte{'\n'})
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		before()
		go func() { _, _ = in.Write(text) }()
		for seen := 0; seen < want; {
			n, err := out.Read(buf)
			if err != nil {
				b.Fatal(err)
			}
			seen += bytes.Count(buf[:n], []byte{'\n'})
		}
	}
}

// BenchmarkCall is one small call and its answer.
func BenchmarkCall(b *testing.B) {
	call := []byte(`{"method":"tools/call","params":{"name":"echo","arguments":{"message":"` + strings.Repeat("x", 60) + `"}},"jsonrpc":"2.0","id":1}` + "\n")
	answer := []byte(`{"result":{"content":[{"type":"text","text":"` + strings.Repeat("x", 60) + `"}]},"jsonrpc":"2.0","id":1}` + "\n")
	for _, kind := range []string{"pipe", "relay"} {
		b.Run(kind, func(b *testing.B) {
			p := newPipes(b)
			p.between(kind == "pipe")
			go func() {
				buf := make([]byte, bufferSize)
				for {
					n, err := p.backendOut.Read(buf)
					if err != nil || n == 0 {
						return
					}
					if _, err := p.backendIn.Write(answer); err != nil {
						return
					}
				}
			}()
			buf := make([]byte, bufferSize)
			for b.Loop() {
				if _, err := p.clientIn.Write(call); err != nil {
					b.Fatal(err)
				}
				if n, err := p.clientOut.Read(buf); err != nil || buf[n-1] != '\n' {
					b.Fatalf("%d bytes, error %v", n, err)
				}
			}
		})
	}
}
