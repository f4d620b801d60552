package account

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// loginFlow is a sign-in, from the link to its end. It goes on while the user
// is in the browser, and ends when it is closed.
type loginFlow struct {
	screen.Quiet
	*screen.Session
	broker Broker
	way    loginWay
	job    *widget.Job
	ends   time.Time // when it gives up

	address  string // of the sign-in page; empty until it is known
	opened   bool   // the browser was started
	expected string // what the provider has to know
	code     *broker.DeviceCode
	waiting  string // what another process is doing
	question *loginQuestion
	warnings []string // odd things that do not end it

	user    string // who it is, at the end
	stored  string
	kept    bool // the profile was written to the file
	problem *problem.Problem
}

// loginWay is how a sign-in goes.
type loginWay struct {
	link   bool // show the link, open no browser
	device bool // a code for another device
	again  bool // prove the identity again
	unlock bool // undo mcpauth lock by it
}

// loginPatience is how long the user may take by default.
const loginPatience = 3 * time.Minute

// What a sign-in says meanwhile, and at its end.
type (
	loginURL struct {
		address string
		opened  bool
	}
	loginExpect  struct{ redirectURI, clientID string }
	loginCode    struct{ broker.DeviceCode }
	loginWaiting struct{ text string }
	loginWarning struct{ text string }
	// loginQuestion is what only the user at this machine can confirm.
	loginQuestion struct {
		text   string
		answer chan<- bool // has room for one
	}
	loginDone struct {
		user    string
		kept    bool
		problem *problem.Problem
	}
)

func newLoginFlow(w *screen.Session, home Broker, way loginWay) *loginFlow {
	return &loginFlow{Session: w, broker: home, way: way}
}

// Begin starts the sign-in, or starts it again.
func (f *loginFlow) Begin() widget.Action {
	f.job.Stop()
	f.address, f.expected, f.code, f.waiting, f.warnings, f.user, f.problem, f.question = "", "", nil, "", nil, "", nil, nil
	f.ends = f.Now().Add(loginPatience)
	home, resolved, way, browser := f.broker, f.Resolved, f.way, f.Browser
	f.job = &widget.Job{Do: func(ctx context.Context, send func(tea.Msg)) tea.Msg {
		options := broker.LoginOptions{UI: loginUI(send), Timeout: loginPatience, Device: way.device, Reauth: way.again}
		if way.device {
			options.Timeout = 0 // a code has a life of its own
		}
		if !way.link && browser != nil {
			options.UI.OpenURL = browser
		}
		var done loginDone
		var user broker.User
		var err error
		if way.unlock {
			user, err = home.Unlock(ctx, resolved, options)
		} else {
			user, done.kept, err = home.Login(ctx, resolved, options)
		}
		if ctx.Err() != nil {
			return nil // it was closed
		}
		if err != nil {
			done.problem = problem.Of(err)
			return done
		}
		done.user = screen.UserName(user)
		return done
	}}
	return f.job
}

// loginUI passes on what a sign-in says.
func loginUI(send func(tea.Msg)) broker.LoginUI {
	return broker.LoginUI{
		ShowURL:  func(address string, opened bool) { send(loginURL{address, opened}) },
		Expect:   func(redirectURI, clientID string) { send(loginExpect{redirectURI, clientID}) },
		ShowCode: func(code broker.DeviceCode) { send(loginCode{code}) },
		Waiting:  func(message string) { send(loginWaiting{text.CleanLine(message)}) },
		Warn:     func(message string) { send(loginWarning{text.CleanLine(message)}) },
		Confirm: func(ctx context.Context, question string) bool {
			answer := make(chan bool, 1)
			send(loginQuestion{question, answer})
			select {
			case yes := <-answer:
				return yes
			case <-ctx.Done():
				return false
			}
		},
	}
}

func (f *loginFlow) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case loginURL:
		f.address, f.opened, f.waiting = msg.address, msg.opened, ""
	case loginExpect:
		f.expected = text.CleanLine("If the provider shows an error: register exactly " + msg.redirectURI +
			" and check the client ID " + msg.clientID)
	case loginCode:
		f.code = &msg.DeviceCode
		f.ends = f.Now().Add(msg.ExpiresIn)
	case loginWaiting:
		f.waiting = msg.text
	case loginWarning:
		f.warnings = append(f.warnings, msg.text)
	case loginQuestion:
		f.question = &msg
	case loginDone:
		f.user, f.kept, f.problem, f.job = msg.user, msg.kept, msg.problem, nil
		return screen.Reread{}
	case screen.AccountChanged:
		f.stored = text.CleanLine(f.Account.StoredIn)
	}
	return nil
}

func (f *loginFlow) over() bool { return f.user != "" || f.problem != nil }

// link is what to open: the page, or the page with the code in it.
func (f *loginFlow) link() string {
	if f.code != nil {
		return f.code.URL
	}
	return f.address
}

func (f *loginFlow) Keys() []widget.Binding {
	leave := widget.Bind("esc", "cancel", "give the sign-in up", widget.Does(screen.Closed{}))
	if f.user != "" {
		leave.Label, leave.Help, leave.Keys = "go on", "close this", []string{"enter", "esc", "q"}
		return []widget.Binding{leave}
	}
	if f.question != nil && !f.over() {
		return f.answers()
	}
	again := func(way loginWay) func() widget.Action {
		way.unlock, way.again = f.way.unlock, f.way.again
		return func() widget.Action { f.way = way; return f.Begin() }
	}
	var all []widget.Binding
	if f.problem != nil {
		leave.Label, leave.Help, leave.Keys = "back", "close this", []string{"esc", "q"}
		all = append(all, widget.Bind("enter", "try again", "begin the sign-in again", again(f.way)))
	}
	if f.link() != "" && !f.over() {
		all = append(all,
			widget.Bind("y", "copy link", "copy the link", widget.Copies("the link", f.link)),
			widget.Bind("o", "open", "open the link in the browser", f.openAgain))
	}
	if f.code != nil && !f.over() {
		all = append(all, widget.Bind("c", "copy code", "copy the code", widget.Copies("the code", func() string { return f.code.UserCode })))
	}
	if !f.way.link && !f.way.device {
		all = append(all, widget.Bind("u", "link only", "begin again, with a link for a browser elsewhere", again(loginWay{link: true})))
	}
	if !f.way.device {
		all = append(all, widget.Bind("D", "code", "begin again, with a code for another device", again(loginWay{device: true})))
	}
	if f.way.link || f.way.device {
		all = append(all, widget.Bind("b", "browser", "begin again, with the browser of this machine", again(loginWay{})))
	}
	at := min(1, len(all))
	return slices.Insert(all, at, leave)
}

// answers are the keys of a question. Closing it says no.
func (f *loginFlow) answers() []widget.Binding {
	say := func(yes bool) func() widget.Action {
		return func() widget.Action {
			f.question.answer <- yes
			f.question, f.waiting = nil, "One moment…"
			return nil
		}
	}
	return []widget.Binding{
		widget.Bind("y", "yes", "say yes", say(true)),
		widget.Bind("n esc", "no", "say no", say(false)),
	}
}

// openAgain opens the sign-in page once more: the user asked for it.
func (f *loginFlow) openAgain() widget.Action {
	address, browser := f.link(), f.Browser
	if browser == nil {
		return widget.Bad("there is no browser here; y copies the link")
	}
	return screen.AsModel{Action: widget.Run(func(ctx context.Context) tea.Msg {
		if err := browser(ctx, address); err != nil {
			return widget.Bad(err.Error())
		}
		return widget.Good("opened in the browser")
	})}
}

func (f *loginFlow) View(width, height int) string {
	inner := min(width-2, 72)
	var lines []string
	switch {
	case f.user != "":
		lines = f.success(inner)
	case f.problem != nil:
		lines = append([]string{f.Theme.Heading.Render(f.heading() + " did not work"), ""}, f.Theme.ProblemLines(f.problem, inner)...)
	case f.question != nil:
		lines = append([]string{f.Theme.Heading.Render(f.heading()), ""}, widget.Wrapped(f.question.text, inner)...)
	case f.code != nil:
		lines = f.showCode(inner)
	default:
		lines = f.showLink(inner)
	}
	for _, warning := range f.warnings {
		lines = append(lines, "")
		for _, line := range widget.Wrapped("! "+warning, inner) {
			lines = append(lines, f.Theme.Warn.Render(line))
		}
	}
	if len(lines) > height { // a low terminal: nothing but words
		lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	}
	return widget.Centered(lines, width, height)
}

func (f *loginFlow) heading() string {
	if f.way.unlock {
		return "Unlocking"
	}
	return "Signing in to " + widget.Cut(f.Profile(), 40)
}

func (f *loginFlow) success(width int) []string {
	what := "Signed in as "
	if f.way.unlock {
		what = "Unlocked by "
	}
	lines := []string{f.Theme.Good.Render("✓ ") + f.Theme.Strong.Render(widget.Cut(what+f.user, width-2)), ""}
	if f.stored != "" {
		lines = append(lines, "  The tokens are in: "+f.stored)
	}
	if f.kept {
		lines = append(lines, "  The profile "+f.Profile()+" is remembered.")
	}
	return append(lines, "", "  AI clients that run mcpauth proxy work now;", "  nothing has to be started again.")
}

func (f *loginFlow) showLink(width int) []string {
	lines := []string{f.Theme.Heading.Render(f.heading()), f.Theme.Dim.Render(widget.CutMiddle(text.CleanLine(f.Resolved.Issuer), width)), ""}
	switch {
	case f.waiting != "":
		lines = append(lines, widget.Wrapped(f.waiting, width)...)
	case f.address == "":
		lines = append(lines, "Asking the provider where to sign in…")
	default:
		if f.opened {
			lines = append(lines, widget.Wrapped("Your browser should show the sign-in page now. If it does not, open this:", width)...)
		} else {
			lines = append(lines, "Open this page in your browser:")
		}
		lines = append(lines, "")
		address := strings.Split(ansi.Hardwrap(text.CleanLine(f.address), width, true), "\n")
		if len(address) > 2 && f.Height < widget.LowTerminal {
			address = []string{widget.Cut(address[0], width-1), "y copies the whole link"}
		}
		for _, line := range address {
			lines = append(lines, f.Theme.Accent.Render(line))
		}
		if f.expected != "" {
			lines = append(lines, "")
			for _, line := range widget.Wrapped(f.expected, width) {
				lines = append(lines, f.Theme.Dim.Render(line))
			}
		}
	}
	return append(lines, "", f.patience(width))
}

func (f *loginFlow) showCode(width int) []string {
	code := text.CleanLine(f.code.UserCode)
	frame := strings.Repeat("─", ansi.StringWidth(code)+4)
	l := f.Theme
	return []string{
		l.Heading.Render(widget.Cut(f.heading(), width)), "",
		"On any device, open:", l.Accent.Render(widget.CutMiddle(text.CleanLine(f.code.URL), width)), "",
		"and enter this code:",
		l.Border.Render("╭" + frame + "╮"),
		l.Border.Render("│") + "  " + l.Strong.Render(code) + "  " + l.Border.Render("│"),
		l.Border.Render("╰" + frame + "╯"),
		l.Dim.Render(widget.Cut("Only for a sign-in that you began yourself.", width)), "",
		f.patience(width),
	}
}

// patience shows how much time is left.
func (f *loginFlow) patience(width int) string {
	whole, left := loginPatience, max(0, f.ends.Sub(f.Now()))
	if f.code != nil {
		whole = f.code.ExpiresIn
	}
	cells := min(24, width-16)
	full := 0
	if whole > 0 && cells > 0 {
		full = min(cells, int(float64(cells)*float64(left)/float64(whole)+0.5))
	}
	bar := f.Theme.Accent.Render(strings.Repeat("━", max(full, 0))) + f.Theme.Border.Render(strings.Repeat("─", max(cells-full, 0)))
	return bar + " " + f.Theme.Dim.Render(text.Span(left)+" left")
}

func (f *loginFlow) Status() string {
	return f.Theme.Dim.Render("the sign-in is yours alone: no AI client sees it")
}

func (f *loginFlow) Busy() *widget.Job { return f.job }
