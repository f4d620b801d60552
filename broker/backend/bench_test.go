//go:build unix

package backend

import (
	"io"
	"os"
	"syscall"
	"testing"
)

// One call of 100 bytes and its answer: the pipes of this package against the
// least that is possible (blocking descriptors, bare read and write) and against
// os/exec's pipes, each with the same echo process.
func BenchmarkRoundTrip(b *testing.B) {
	b.Run("process", func(b *testing.B) {
		p := child(b, "echo")
		roundTrips(b, p.In(), p.Out())
		p.Kill()
	})
	b.Run("raw", func(b *testing.B) {
		in, out := rawPipe(b), rawPipe(b)
		cmd := testCommand("echo")
		cmd.Stdin, cmd.Stdout = os.NewFile(uintptr(in[0]), "|"), os.NewFile(uintptr(out[1]), "|")
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		roundTrips(b, rawEnd(in[1]), rawEnd(out[0]))
		cmd.Process.Kill()
		cmd.Wait()
	})
	b.Run("osexec", func(b *testing.B) {
		cmd := testCommand("echo")
		in, _ := cmd.StdinPipe()
		out, _ := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		roundTrips(b, in, out)
		cmd.Process.Kill()
		cmd.Wait()
	})
}

func roundTrips(b *testing.B, in io.Writer, out io.Reader) {
	message, answer := make([]byte, 100), make([]byte, 100)
	for b.Loop() {
		if _, err := in.Write(message); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(out, answer); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
}

type rawEnd int

func (fd rawEnd) Read(p []byte) (int, error)  { return syscall.Read(int(fd), p) }
func (fd rawEnd) Write(p []byte) (int, error) { return syscall.Write(int(fd), p) }

func rawPipe(b *testing.B) [2]int {
	b.Helper()
	fds, err := newPipe()
	if err != nil {
		b.Fatal(err)
	}
	return fds
}

// The time from Start to the first answer, with all that it needs: pipes, guard,
// child. The child is this test binary, whose own start is most of it.
func BenchmarkStart(b *testing.B) {
	b.Run("process", func(b *testing.B) {
		for b.Loop() {
			p := child(b, "exit0")
			io.Copy(io.Discard, p.Out())
			p.Wait()
			p.Close()
		}
	})
	b.Run("osexec", func(b *testing.B) {
		for b.Loop() {
			if _, err := testCommand("exit0").Output(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("guard", func(b *testing.B) {
		for b.Loop() {
			t, err := newTree()
			if err != nil {
				b.Fatal(err)
			}
			t.destroy()
		}
	})
}
