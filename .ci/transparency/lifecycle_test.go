package transparency

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// stubbornTree is the proxy in front of a server that ignores EOF and signals
// and has a child that does so, too: with the guard four processes.
func (m *machine) stubbornTree(t *testing.T, mode string) (*session, []process) {
	t.Helper()
	command := m.command(proxied(part("faulty", mode)))
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as clients do that end groups
	s := open(t, command)
	must(t, s.await("the server", heardNote(s, "ready")))
	all := family(t, command.Process.Pid)
	if len(all) < 4 {
		t.Fatalf("there are only %d processes:\n%s", len(all), listing(all))
	}
	return s, all
}

// TestNothingOutlivesTheProxy: whatever ends it, all of its processes end, even
// with a server that wants to stay and, as "leader", in a session of its own.
func TestNothingOutlivesTheProxy(t *testing.T) {
	m := newMachine(t)
	pid := func(s *session) int { return s.command.Process.Pid }
	ends := map[string]func(*session) error{
		"EOF":                  func(s *session) error { return s.stdin.Close() },
		"SIGTERM":              func(s *session) error { return syscall.Kill(pid(s), syscall.SIGTERM) },
		"SIGINT":               func(s *session) error { return syscall.Kill(pid(s), syscall.SIGINT) },
		"SIGHUP":               func(s *session) error { return syscall.Kill(pid(s), syscall.SIGHUP) },
		"SIGKILL":              func(s *session) error { return syscall.Kill(pid(s), syscall.SIGKILL) },
		"SIGTERM to its group": func(s *session) error { return syscall.Kill(-pid(s), syscall.SIGTERM) },
		"SIGKILL to its group": func(s *session) error { return syscall.Kill(-pid(s), syscall.SIGKILL) },
		"a crash":              func(s *session) error { return syscall.Kill(pid(s), syscall.SIGSEGV) },
	}
	for name, end := range ends {
		for _, mode := range []string{"stubborn", "leader"} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				s, all := m.stubbornTree(t, mode)
				must(t, end(s))
				go func() { _ = s.command.Wait() }() // a zombie is not gone otherwise
				awaitGone(t, all)
			})
		}
	}
}

// TestClientIsKilled: SIGKILL of the client is EOF for the proxy.
func TestClientIsKilled(t *testing.T) {
	m := newMachine(t)
	client := m.command(part("person", proxied(part("faulty", "stubborn"))...))
	stdout, err := client.StdoutPipe()
	must(t, err)
	must(t, client.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	must(t, err)
	proxy, err := strconv.Atoi(strings.TrimSpace(line))
	must(t, err)
	all := family(t, proxy)
	if len(all) < 4 {
		t.Fatalf("there are only %d processes:\n%s", len(all), listing(all))
	}
	must(t, client.Process.Kill())
	_ = client.Wait()
	awaitGone(t, all)
}

// TestClientStopsListening: when nobody can hear the answers any more the proxy
// ends, though its input stays open.
func TestClientStopsListening(t *testing.T) {
	m := newMachine(t)
	command := m.command(proxied(part("faulty", "answer")))
	stdin, err := command.StdinPipe()
	must(t, err)
	stdout, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	_, err = stdin.Write([]byte(call + "\n"))
	must(t, err)
	_, err = bufio.NewReader(stdout).ReadString('\n')
	must(t, err)
	all := family(t, command.Process.Pid)
	must(t, stdout.Close())
	_, err = stdin.Write([]byte(`{"jsonrpc":"2.0","id":2,"method":"com.example/call"}` + "\n"))
	must(t, err)
	go func() { _ = command.Wait() }()
	awaitGone(t, all)
}

// TestLastWordsAreHeard: what a server says after the end of its input still
// reaches the client, and all is over then.
func TestLastWordsAreHeard(t *testing.T) {
	s := newMachine(t).faulty(t, "last")
	must(t, s.send(call))
	must(t, s.await("the answer", func() bool { return s.answers["1"] != "" }))
	all := family(t, s.command.Process.Pid)
	if farewell := s.close(); len(farewell) != 1 || !strings.Contains(farewell[0], "lastwords") {
		t.Errorf("the client hears %q at the end", farewell)
	}
	if code := s.command.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the proxy exits with %d", code)
	}
	awaitGone(t, all)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
