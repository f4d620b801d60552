// Package tui runs `mcpauth tui` as a person does: in a terminal (tmux), with a
// keychain (gnome-keyring), a provider and real MCP servers. It types keys, and
// looks at the screen until it shows what it should; it never sleeps.
//
//	go test ./.ci/tui                                       the journeys
//	go test ./.ci/tui -run TestScreens -screens docs/screens   pictures for the README
package tui

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/.ci/suite"
)

// browserWord makes this program a browser without a window.
const browserWord = "be-a-browser"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == browserWord {
		if err := visit(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(suite.Session{Name: "tui", Build: suite.CompileMCPAuth}.Main(m.Run))
}

// visit follows the pages of a sign-in, as a browser in which nobody has to click.
func visit(address string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	client := http.Client{Jar: jar, Timeout: 20 * time.Second}
	response, err := client.Get(address)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
