package cmd

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// agree asks a question that nothing but yes answers. Where there is no terminal,
// nobody is there to say it. After ctrl+c it is a no; whoever reads the terminal
// then stays behind until the program ends.
func (a *app) agree(ctx context.Context, question string) bool {
	if !isTerminal(a.In) {
		return false
	}
	fmt.Fprintf(a.Err, "%s [y/N] ", question)
	answered := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.In).ReadString('\n') // no answer is a no
		answered <- line
	}()
	select {
	case line := <-answered:
		line = strings.ToLower(strings.TrimSpace(line))
		return line == "y" || line == "yes"
	case <-ctx.Done():
		fmt.Fprintln(a.Err)
		return false
	}
}

// hidden reads a line that is not shown. After ctrl+c the terminal shows again
// what is typed.
func (a *app) hidden(ctx context.Context, terminal *os.File, prompt string) (string, error) {
	type answer struct {
		line []byte
		err  error
	}
	descriptor := int(terminal.Fd())
	shown, err := term.GetState(descriptor)
	if err != nil {
		return "", err
	}
	fmt.Fprint(a.Err, prompt)
	defer fmt.Fprintln(a.Err)
	answered := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(descriptor)
		answered <- answer{line, err}
	}()
	select {
	case typed := <-answered:
		return string(typed.line), typed.err
	case <-ctx.Done():
		_ = term.Restore(descriptor, shown)
		return "", ctx.Err()
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
