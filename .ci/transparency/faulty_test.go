package transparency

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// playFaulty is a server that behaves in one of many bad ways: "MODE [ARG]".
func playFaulty(args []string) {
	mode, argument := args[0], strings.Join(args[1:], " ")
	serve, known := faultyModes[mode]
	if !known {
		check(fmt.Errorf("no such mode: %s", mode))
	}
	serve(argument)
}

var faultyModes = map[string]func(argument string){
	"exit0":    func(string) { awaitCall(); os.Exit(0) },
	"exit7":    func(string) { awaitCall(); os.Exit(7) },
	"segv":     func(string) { awaitCall(); check(syscall.Exec("/bin/sh", []string{"sh", "-c", "kill -SEGV $$"}, nil)) },
	"half":     func(string) { awaitCall(); fmt.Print(`{"jsonrpc":"2.0","id":1,"resu`); os.Exit(7) },
	"closeout": func(string) { awaitCall(); os.Stdout.Close(); hang() },
	"closein":  func(string) { os.Stdin.Close(); fmt.Println(note("closed")); hang() },
	"fork":     func(string) { forkHolder(); awaitCall(); os.Exit(3) },
	"noise":    func(string) { fmt.Print(noiseWords); answerAll() },
	"slow":     func(string) { time.Sleep(2 * time.Second); answerAll() },
	"answer":   func(string) { answerAll() },
	"last":     func(string) { answerAll(); fmt.Println(note("lastwords")) },
	"stderr":   func(string) { floodStderr(200 << 20); answerAll() },
	"deaf":     func(string) { fmt.Println(note("ready")); hang() },
	"flood":    flood,
	"both":     func(string) { bothWays(8) },
	"turns":    func(string) { inTurns() },
	"stubborn": func(string) { stubborn() },
	"leader":   func(string) { _, _ = syscall.Setsid(); stubborn() }, // which it may be already
	"holder":   func(string) { signal.Ignore(syscall.SIGTERM); hang() },
}

// hang is not "select {}", which Go takes for a deadlock.
func hang() { time.Sleep(time.Hour) }

// note is a notification with a name.
func note(name string) string {
	return `{"jsonrpc":"2.0","method":"notifications/com.example/` + name + `"}`
}

// noiseWords are what servers print by mistake: a banner, blank lines, half of a
// message, a BOM, bytes that are no UTF-8. The last line is a message that ends
// as Windows ends lines.
const noiseWords = "Server running on stdio\n\n  \n{\"jsonrpc\":\n\ufeff{\"jsonrpc\":\"2.0\",\"method\":\"bom\"}\n" +
	"\xff\xfe\x00\n\x1b[31mred\x1b[0m\n" + `{"jsonrpc":"2.0","method":"notifications/com.example/crlf"}` + "\r\n"

// awaitCall says that the server is up, and reads until the call.
func awaitCall() {
	fmt.Println(note("ready"))
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		check(err)
		if strings.Contains(line, `"com.example/call"`) {
			return
		}
	}
}

// answerAll answers every request by the length of its line, until EOF.
func answerAll() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if m, err := understand(line); err == nil && m.id != "" {
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":{"bytes":%d,"text":"%s"}}`+"\n",
				m.id, len(line)-1, strings.Repeat("x", echoLength(line)))
		}
	}
}

// echoLength is how long the client wants the answer: as its call.
func echoLength(line string) int {
	if strings.Contains(line, `"com.example/echo"`) {
		return len(line)
	}
	return 0
}

// forkHolder starts a grandchild that holds all three pipes.
func forkHolder() {
	argv := part("faulty", "holder")
	kid := exec.Command(argv[0], argv[1:]...)
	kid.Stdin, kid.Stdout, kid.Stderr = os.Stdin, os.Stdout, os.Stderr
	check(kid.Start())
}

// stubborn ignores EOF and signals and has a child that does so, too.
func stubborn() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	forkHolder()
	fmt.Println(note("ready"))
	hang()
}

func floodStderr(size int) {
	chunk := bytes.Repeat([]byte("all work and no play makes a dull server\n"), 1600)
	for sent := 0; sent < size; sent += len(chunk) {
		_, err := os.Stderr.Write(chunk)
		check(err)
	}
}

// floodNotes is how much "flood" says, a kilobyte each.
const floodNotes = 100_000

// flood says much more than pipes hold, in order, and touches a file as soon as
// it is told to cancel.
func flood(told string) {
	go func() {
		lines := bufio.NewReader(os.Stdin)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			if strings.Contains(line, "notifications/cancelled") {
				check(os.WriteFile(filepath.Clean(told), nil, 0o600))
			}
		}
	}()
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	padding := strings.Repeat("x", 1000)
	for i := range floodNotes {
		fmt.Fprintf(out, `{"jsonrpc":"2.0","method":"notifications/com.example/flood","params":{"n":%d,"x":"%s"}}`+"\n", i, padding)
	}
	check(out.Flush())
	hang()
}

// bothWays writes MiBs while it reads as many, then tells that it has.
func bothWays(mibs int) {
	wrote := make(chan error, 1)
	go func() {
		line := longNote(1<<20) + "\n"
		var err error
		for i := 0; i < mibs && err == nil; i++ {
			_, err = io.WriteString(os.Stdout, line)
		}
		wrote <- err
	}()
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for range mibs {
		line, err := lines.ReadString('\n')
		check(err)
		if len(line) < 1<<20 {
			check(fmt.Errorf("a line of %d bytes", len(line)))
		}
	}
	check(<-wrote)
	fmt.Println(note("done"))
	hang()
}

// inTurns writes 8 MiB in one line and reads only then.
func inTurns() {
	_, err := io.WriteString(os.Stdout, longNote(8<<20)+"\n")
	check(err)
	_, err = bufio.NewReaderSize(os.Stdin, 1<<20).ReadString('\n')
	check(err)
	fmt.Println(note("done"))
	hang()
}

// longNote is a notification with about as many bytes.
func longNote(size int) string {
	return `{"jsonrpc":"2.0","method":"notifications/com.example/long","params":{"x":"` + strings.Repeat("x", size) + `"}}`
}

// playPerson is an AI client that starts a command, says which process that is,
// and never ends it: it is there to be killed.
func playPerson(argv []string) {
	command := exec.Command(argv[0], argv[1:]...)
	command.Stderr = os.Stderr
	_, err := command.StdinPipe()
	check(err)
	stdout, err := command.StdoutPipe()
	check(err)
	check(command.Start())
	_, err = bufio.NewReader(stdout).ReadString('\n') // the server is up
	check(err)
	fmt.Println(command.Process.Pid)
	hang()
}
