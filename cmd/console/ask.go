package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/mcpauth/mcpauth/keychain"
)

// Agree asks a question that nothing but yes answers. Where there is no terminal,
// nobody is there to say it. After ctrl+c it is a no; the goroutine that reads the terminal
// then stays behind until the program ends.
func (a *App) Agree(ctx context.Context, question string) bool {
	if !IsTerminal(a.In) {
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
func (a *App) hidden(ctx context.Context, terminal *os.File, prompt string) (string, error) {
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

func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// maxSecret bounds a client secret, in bytes.
const maxSecret = 4096

// ReadSecret reads one line: hidden on a terminal, else from standard input.
func (a *App) ReadSecret(ctx context.Context, prompt string) (keychain.Secret, error) {
	var text string
	var err error
	if terminal, ok := a.In.(*os.File); ok && IsTerminal(terminal) {
		text, err = a.hidden(ctx, terminal, prompt)
	} else if text, err = bufio.NewReader(io.LimitReader(a.In, maxSecret+2)).ReadString('\n'); errors.Is(err, io.EOF) {
		err = nil
	}
	if err != nil {
		return keychain.Secret{}, fmt.Errorf("the secret cannot be read: %w", err)
	}
	text = strings.TrimRight(text, "\r\n")
	switch {
	case text == "":
		return keychain.Secret{}, Usage("the client secret is empty", "give it on standard input, on one line")
	case len(text) > maxSecret:
		return keychain.Secret{}, Usage(fmt.Sprintf("the client secret is longer than %d bytes", maxSecret))
	}
	return keychain.NewSecret(text), nil
}

// Ask reads one line of the person at the terminal. It ends with ctx; the goroutine that reads
// next gets the line then.
func (a *App) Ask(ctx context.Context, prompt string) (string, error) {
	fmt.Fprint(a.Err, prompt)
	if a.typedLines == nil {
		a.typedLines = make(chan string)
		go func() {
			defer close(a.typedLines)
			lines := bufio.NewScanner(a.In)
			for lines.Scan() {
				a.typedLines <- lines.Text()
			}
		}()
	}
	select {
	case line, ok := <-a.typedLines:
		if !ok {
			fmt.Fprintln(a.Err)
			return "", io.EOF
		}
		return strings.TrimSpace(line), nil
	case <-ctx.Done():
		fmt.Fprintln(a.Err)
		return "", ctx.Err()
	}
}

// Attended reports whether a user can be asked.
func (a *App) Attended() bool { return IsTerminal(a.In) && IsTerminal(a.Err) }

// ToTerminal reports whether standard output is one.
func (a *App) ToTerminal() bool { return IsTerminal(a.Protocol()) }

// Columns is the width of the terminal that a stream is, or 0.
func Columns(stream any) int {
	f, ok := stream.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}
