package cmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mcpauth/mcpauth/broker"
)

// beginPatience bounds the wait for the link: the provider is asked for its
// metadata before, and a keychain may have to be unlocked.
const beginPatience = 90 * time.Second

// begun is what the process in the background says first, and all that it says.
type begun struct {
	URL       string          `json:"url,omitempty"`
	Opened    bool            `json:"opened"`
	UserCode  string          `json:"user_code,omitempty"`
	ExpiresIn int             `json:"expires_in,omitempty"` // seconds
	Problem   *broker.Outcome `json:"problem,omitempty"`
}

// beginLogin starts the sign-in in a process of its own, says where the person
// has to go, and leaves.
func (a *app) beginLogin(c *cobra.Command, r broker.Resolved) error {
	self, err := a.deps.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context(), beginPatience)
	defer cancel()
	said, err := startDetached(ctx, self, append([]string{"login", "--" + inBackground}, chosenFlags(c)...))
	if err != nil {
		return err
	}
	if said.Problem != nil {
		return said.Problem.Problem()
	}
	members := map[string]any{
		"profile": r.Name, "url": said.URL, "opened": said.Opened, "expires_in": said.ExpiresIn, "next_step": r.LoginCommand("--wait", "--json"),
	}
	if said.UserCode != "" {
		members["user_code"] = said.UserCode
	}
	a.printJSON(members)
	return nil
}

// inBackground is the flag of the process in the background.
const inBackground = "in-background"

// chosenFlags are the flags of this command line, for another one. There is no
// flag that takes a secret.
func chosenFlags(c *cobra.Command) []string {
	var args []string
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.Name == "json" || f.Name == "wait" {
			return
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, item := range list.GetSlice() {
				args = append(args, "--"+f.Name+"="+item)
			}
			return
		}
		args = append(args, "--"+f.Name+"="+f.Value.String())
	})
	return args
}

// startDetached runs this program without a terminal, and reads its one line.
func startDetached(ctx context.Context, self string, args []string) (begun, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return begun{}, err
	}
	defer read.Close()
	command := exec.Command(self, args...) // no context: it outlives this one
	command.Stdout = write
	command.SysProcAttr = detached()
	err = command.Start()
	_ = write.Close()
	if err != nil {
		return begun{}, err
	}
	lines := make(chan begun, 1)
	go func() {
		var said begun
		line, _ := bufio.NewReader(io.LimitReader(read, 64<<10)).ReadBytes('\n')
		if json.Unmarshal(line, &said) != nil {
			said.Problem = &broker.Outcome{Code: broker.ExitError, Message: "the sign-in in the background did not start", Hints: []string{"mcpauth login"}}
		}
		lines <- said
	}()
	select {
	case said := <-lines:
		return said, command.Process.Release()
	case <-ctx.Done():
		return begun{}, errors.Join(&broker.Problem{Msg: "the sign-in in the background did not start in time", Hints: []string{"mcpauth login"}, Code: broker.ExitError},
			command.Process.Kill())
	}
}

// loginInBackground is the sign-in in the background. It writes one line and
// never again: whoever read it has left, and a second write would end us.
func (a *app) loginInBackground(ctx context.Context, b *broker.Broker, r broker.Resolved, o *loginOptions) error {
	var once sync.Once
	tell := func(said begun) {
		once.Do(func() {
			line, err := json.Marshal(said)
			if err == nil {
				_, _ = a.Out.Write(append(line, '\n'))
			}
		})
	}
	var link atomic.Pointer[begun] // a browser can be back before it is known to have been opened
	ui := broker.LoginUI{
		ShowURL: func(address string, opened bool) {
			tell(begun{URL: address, Opened: opened, ExpiresIn: int(o.timeout.Seconds())})
		},
		ShowCode: func(code broker.DeviceCode) {
			tell(begun{URL: code.URL, UserCode: code.UserCode, ExpiresIn: int(code.ExpiresIn.Seconds())})
		},
	}
	if open := a.loginUI(o.noBrowser, o.timeout).OpenURL; open != nil {
		ui.OpenURL = func(ctx context.Context, address string) error {
			link.Store(&begun{URL: address, Opened: true, ExpiresIn: int(o.timeout.Seconds())})
			return open(ctx, address)
		}
	}
	take, end, err := o.trace.begin(io.Discard)
	if err != nil {
		tell(begun{Problem: outcomeOf(err)})
		return err
	}
	ui.Trace = take
	err = b.LoginInBackground(ctx, r, o.options(ui))
	_ = end() // nobody is left to tell
	if said := link.Load(); said != nil {
		tell(*said)
	}
	if err != nil {
		tell(begun{Problem: outcomeOf(err)})
		return err
	}
	tell(begun{}) // a machine: nobody had to go anywhere
	return nil
}

func outcomeOf(err error) *broker.Outcome {
	problem := broker.AsProblem(err)
	return &broker.Outcome{Code: problem.Code, Message: problem.Msg, Hints: problem.Hints}
}

// awaitLogin waits for a sign-in in the background. done is false when there is
// none.
func (a *app) awaitLogin(ctx context.Context, b *broker.Broker, r broker.Resolved, o *loginOptions) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	outcome, there, err := b.AwaitLogin(ctx, r)
	if err != nil || !there {
		return false, err
	}
	if err := outcome.Problem(); err != nil {
		return false, err
	}
	status, err := b.Status(ctx, r)
	if err != nil {
		return false, err
	}
	a.reportLogin(b, r, status.User, outcome.Remembered)
	return true, nil
}
