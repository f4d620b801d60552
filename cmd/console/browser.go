package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker"
)

// Browser opens pages in the system browser: by argv, never through a shell,
// because the address comes from a provider's document (CVE-2025-6514).
type Browser struct {
	Env  func(string) string
	Talk io.Writer // where the browser's own words go; standard output is not ours to give
}

// Browser opens pages in the system browser, whose own words go to talk.
func (a *App) Browser(talk io.Writer) func(ctx context.Context, address string) error {
	return Browser{Env: a.Deps.Env, Talk: talk}.Open
}

// settled is how long an opener is watched: one that fails does so at once,
// while a browser that was not running yet may stay for as long as its window.
const settled = 700 * time.Millisecond

// Open starts the browser. The error, which is also told at once, says why no
// page will appear.
func (b Browser) Open(ctx context.Context, address string) error {
	err := b.start(ctx, address)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(b.Talk, "mcpauth: no browser opened: %s\n", Printable(err.Error()))
	}
	return err
}

func (b Browser) start(ctx context.Context, address string) error {
	address, err := broker.ValidateAuthorizeURL(address)
	if err != nil {
		return err
	}
	argv, err := b.argv(runtime.GOOS, address)
	if err != nil {
		return err
	}
	command := exec.Command(argv[0], argv[1:]...)
	command.Stdout, command.Stderr = b.Talk, b.Talk
	if err := command.Start(); err != nil {
		return fmt.Errorf("the browser does not start: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(settled):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// argv is the command that opens an address: $BROWSER, or the system's opener.
func (b Browser) argv(goos, address string) ([]string, error) {
	if chosen := chosenBrowser(b.Env("BROWSER")); len(chosen) > 0 {
		return withAddress(chosen, address), nil
	}
	switch goos {
	case "darwin":
		return []string{"/usr/bin/open", address}, nil
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler", address}, nil
	}
	if b.Env("DISPLAY") == "" && b.Env("WAYLAND_DISPLAY") == "" && b.Env("WSL_DISTRO_NAME") == "" {
		return nil, errors.New("there is no display")
	}
	return []string{"xdg-open", address}, nil
}

// chosenBrowser reads $BROWSER: the path of a program, spaces and all, or else a
// command with its arguments. Of a list, as xdg-open and others know it, the first
// that is there counts.
func chosenBrowser(value string) []string {
	there := func(name string) bool {
		_, err := exec.LookPath(name)
		return err == nil
	}
	value = strings.TrimSpace(value)
	command := strings.Fields(value)
	switch {
	case len(command) == 0:
		return nil
	case there(value):
		return []string{value}
	case there(command[0]):
		return command
	}
	for _, one := range filepath.SplitList(value) {
		if words := strings.Fields(one); len(words) > 0 && there(words[0]) {
			return words
		}
	}
	return command // and its error
}

// withAddress puts the address where $BROWSER has %s, or at its end.
func withAddress(argv []string, address string) []string {
	filled := make([]string, 0, len(argv)+1)
	placed := false
	for _, arg := range argv {
		if strings.Contains(arg, "%s") {
			arg = strings.ReplaceAll(arg, "%s", address)
			placed = true
		}
		filled = append(filled, arg)
	}
	if !placed {
		filled = append(filled, address)
	}
	return filled
}
