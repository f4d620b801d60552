package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker"
)

// loginFlow is a sign-in, from the link to its end. It goes on while the person
// is in the browser, and ends when it is closed.
type loginFlow struct {
	*world
	way  loginWay
	job  *job
	ends time.Time // when it gives up

	address  string // of the sign-in page; empty until it is known
	opened   bool   // the browser was started
	code     *broker.DeviceCode
	waiting  string // what another process is doing
	question *loginQuestion
	warnings []string // odd things that do not end it

	user    string // who it is, at the end
	stored  string
	kept    bool // the profile was written to the file
	problem *broker.Problem
}

// loginWay is how a sign-in goes.
type loginWay struct {
	link   bool // show the link, open no browser
	device bool // a code for another device
	again  bool // prove anew who it is
	unlock bool // undo mcpauth lock by it
}

// loginPatience is how long a person may take by default.
const loginPatience = 3 * time.Minute

// What a sign-in says meanwhile, and at its end.
type (
	loginURL struct {
		address string
		opened  bool
	}
	loginCode    struct{ broker.DeviceCode }
	loginWaiting struct{ text string }
	loginWarning struct{ text string }
	// loginQuestion is what only a person at this machine can say yes to.
	loginQuestion struct {
		text   string
		answer chan<- bool // has room for one
	}
	loginDone struct {
		user    string
		kept    bool
		problem *broker.Problem
	}
)

func newLoginFlow(w *world, way loginWay) *loginFlow { return &loginFlow{world: w, way: way} }

// begin starts the sign-in, or starts it again.
func (f *loginFlow) begin() action {
	f.job.stop()
	f.address, f.code, f.waiting, f.warnings, f.user, f.problem, f.question = "", nil, "", nil, "", nil, nil
	f.ends = f.now().Add(loginPatience)
	home, resolved, way, browser := f.Home, f.resolved, f.way, f.Browser
	f.job = &job{do: func(ctx context.Context, send func(tea.Msg)) tea.Msg {
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
			done.problem = broker.AsProblem(err)
			return done
		}
		done.user = nameOf(user)
		return done
	}}
	return f.job
}

// loginUI passes on what a sign-in says.
func loginUI(send func(tea.Msg)) broker.LoginUI {
	return broker.LoginUI{
		ShowURL:  func(address string, opened bool) { send(loginURL{address, opened}) },
		ShowCode: func(code broker.DeviceCode) { send(loginCode{code}) },
		Waiting:  func(text string) { send(loginWaiting{broker.CleanLine(text)}) },
		Warn:     func(text string) { send(loginWarning{broker.CleanLine(text)}) },
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

func (f *loginFlow) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case loginURL:
		f.address, f.opened, f.waiting = msg.address, msg.opened, ""
	case loginCode:
		f.code = &msg.DeviceCode
		f.ends = f.now().Add(msg.ExpiresIn)
	case loginWaiting:
		f.waiting = msg.text
	case loginWarning:
		f.warnings = append(f.warnings, msg.text)
	case loginQuestion:
		f.question = &msg
	case loginDone:
		f.user, f.kept, f.problem, f.job = msg.user, msg.kept, msg.problem, nil
		return rereadHome{}
	case accountNew:
		f.stored = broker.CleanLine(f.account.StoredIn)
	}
	return nil
}

func (f *loginFlow) over() bool { return f.user != "" || f.problem != nil }

// link is what is to be opened: the page, or the page with the code in it.
func (f *loginFlow) link() string {
	if f.code != nil {
		return f.code.URL
	}
	return f.address
}

func (f *loginFlow) keys() []binding {
	leave := binding{keys: []string{"esc"}, label: "cancel", help: "give the sign-in up", act: does(closed{})}
	if f.user != "" {
		leave.label, leave.help, leave.keys = "go on", "close this", []string{"enter", "esc", "q"}
		return []binding{leave}
	}
	if f.question != nil && !f.over() {
		return f.answers()
	}
	again := func(way loginWay) func() action {
		way.unlock, way.again = f.way.unlock, f.way.again
		return func() action { f.way = way; return f.begin() }
	}
	var all []binding
	if f.problem != nil {
		leave.label, leave.help, leave.keys = "back", "close this", []string{"esc", "q"}
		all = append(all, binding{keys: []string{"enter"}, label: "try again", help: "begin the sign-in again", act: again(f.way)})
	}
	if f.link() != "" && !f.over() {
		all = append(all,
			binding{keys: []string{"y"}, label: "copy link", help: "copy the link", act: func() action { return copyText{"the link", f.link()} }},
			binding{keys: []string{"o"}, label: "open", help: "open the link in the browser", act: func() action { return f.openAgain() }})
	}
	if f.code != nil && !f.over() {
		all = append(all, binding{keys: []string{"c"}, label: "copy code", help: "copy the code", act: func() action { return copyText{"the code", f.code.UserCode} }})
	}
	if !f.way.link && !f.way.device {
		all = append(all, binding{keys: []string{"u"}, label: "link only", help: "begin again, with a link for a browser elsewhere", act: again(loginWay{link: true})})
	}
	if !f.way.device {
		all = append(all, binding{keys: []string{"D"}, label: "code", help: "begin again, with a code for another device", act: again(loginWay{device: true})})
	}
	if f.way.link || f.way.device {
		all = append(all, binding{keys: []string{"b"}, label: "browser", help: "begin again, with the browser of this machine", act: again(loginWay{})})
	}
	at := min(1, len(all))
	return slices.Insert(all, at, leave)
}

// answers are the keys of a question. Whoever closes it says no.
func (f *loginFlow) answers() []binding {
	say := func(yes bool) func() action {
		return func() action {
			f.question.answer <- yes
			f.question, f.waiting = nil, "One moment…"
			return nil
		}
	}
	return []binding{
		{keys: []string{"y"}, label: "yes", help: "say yes", act: say(true)},
		{keys: []string{"n", "esc"}, label: "no", help: "say no", act: say(false)},
	}
}

// openAgain opens the sign-in page once more: the person asked for it.
func (f *loginFlow) openAgain() action {
	address, browser := f.link(), f.Browser
	if browser == nil {
		return notice{bad, "there is no browser here; y copies the link"}
	}
	return asModel{run(func(ctx context.Context) tea.Msg {
		if err := browser(ctx, address); err != nil {
			return notice{bad, err.Error()}
		}
		return notice{good, "opened in the browser"}
	})}
}

func (f *loginFlow) view(width, height int) string {
	inner := min(width-2, 72)
	var lines []string
	switch {
	case f.user != "":
		lines = f.success(inner)
	case f.problem != nil:
		lines = append([]string{f.look.heading.Render(f.heading() + " did not work"), ""}, f.look.problemLines(f.problem, inner)...)
	case f.question != nil:
		lines = append([]string{f.look.heading.Render(f.heading()), ""}, wrapped(f.question.text, inner)...)
	case f.code != nil:
		lines = f.showCode(inner)
	default:
		lines = f.showLink(inner)
	}
	for _, warning := range f.warnings {
		lines = append(lines, "")
		for _, line := range wrapped("! "+warning, inner) {
			lines = append(lines, f.look.warn.Render(line))
		}
	}
	if len(lines) > height { // a low terminal: nothing but words
		lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	}
	return f.look.centred(lines, width, height)
}

func (f *loginFlow) heading() string {
	if f.way.unlock {
		return "Unlocking"
	}
	return "Signing in to " + cut(f.profile(), 40)
}

func (f *loginFlow) success(width int) []string {
	what := "Signed in as "
	if f.way.unlock {
		what = "Unlocked by "
	}
	lines := []string{f.look.good.Render("✓ ") + f.look.strong.Render(cut(what+f.user, width-2)), ""}
	if f.stored != "" {
		lines = append(lines, "  The tokens are in: "+f.stored)
	}
	if f.kept {
		lines = append(lines, "  The profile "+f.profile()+" is remembered.")
	}
	return append(lines, "", "  AI clients that run mcpauth proxy work now;", "  nothing has to be started again.")
}

func (f *loginFlow) showLink(width int) []string {
	lines := []string{f.look.heading.Render(f.heading()), f.look.dim.Render(cutMiddle(broker.CleanLine(f.resolved.Issuer), width)), ""}
	switch {
	case f.waiting != "":
		lines = append(lines, wrapped(f.waiting, width)...)
	case f.address == "":
		lines = append(lines, "Asking the provider where to sign in…")
	default:
		if f.opened {
			lines = append(lines, wrapped("Your browser should show the sign-in page now. If it does not, open this:", width)...)
		} else {
			lines = append(lines, "Open this page in your browser:")
		}
		lines = append(lines, "")
		address := strings.Split(ansi.Hardwrap(broker.CleanLine(f.address), width, true), "\n")
		if len(address) > 2 && f.height < lowTerminal {
			address = []string{cut(address[0], width-1), "y copies the whole link"}
		}
		for _, line := range address {
			lines = append(lines, f.look.accent.Render(line))
		}
	}
	return append(lines, "", f.patience(width))
}

func (f *loginFlow) showCode(width int) []string {
	code := broker.CleanLine(f.code.UserCode)
	frame := strings.Repeat("─", ansi.StringWidth(code)+4)
	l := f.look
	return []string{
		l.heading.Render(cut(f.heading(), width)), "",
		"On any device, open:", l.accent.Render(cutMiddle(broker.CleanLine(f.code.URL), width)), "",
		"and enter this code:",
		l.border.Render("╭" + frame + "╮"),
		l.border.Render("│") + "  " + l.strong.Render(code) + "  " + l.border.Render("│"),
		l.border.Render("╰" + frame + "╯"),
		l.dim.Render(cut("Only for a sign-in that you began yourself.", width)), "",
		f.patience(width),
	}
}

// patience shows how much time is left.
func (f *loginFlow) patience(width int) string {
	whole, left := loginPatience, max(0, f.ends.Sub(f.now()))
	if f.code != nil {
		whole = f.code.ExpiresIn
	}
	cells := min(24, width-16)
	full := 0
	if whole > 0 && cells > 0 {
		full = min(cells, int(float64(cells)*float64(left)/float64(whole)+0.5))
	}
	bar := f.look.accent.Render(strings.Repeat("━", max(full, 0))) + f.look.border.Render(strings.Repeat("─", max(cells-full, 0)))
	return bar + " " + f.look.dim.Render(broker.TimeSpan(left)+" left")
}

func (f *loginFlow) status() string {
	return f.look.dim.Render("the sign-in is yours alone: no AI client sees it")
}

func (f *loginFlow) typing() bool { return false }
func (f *loginFlow) busy() *job   { return f.job }
func (f *loginFlow) home() bool   { return false }

// nameOf names a user for people.
func nameOf(user broker.User) string {
	for _, name := range []string{user.Email, user.PreferredUsername, user.Name, user.Sub} {
		if name != "" {
			return broker.CleanLine(name)
		}
	}
	return "an unnamed user"
}

// centred puts lines in the middle, as one block.
func (l *look) centred(lines []string, width, height int) string {
	widest := 0
	for _, line := range lines {
		widest = max(widest, ansi.StringWidth(line))
	}
	return strings.Repeat("\n", l.centredTop(lines, height)) + strings.Join(indented(lines, max(0, (width-widest)/2)), "\n")
}

// centredTop is the line in which [look.centred] begins.
func (l *look) centredTop(lines []string, height int) int { return max(0, (height-len(lines))/3) }
