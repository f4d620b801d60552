package browse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/yosida95/uritemplate/v3"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/text"
	"github.com/mcpauth/mcpauth/tui/screen"
	"github.com/mcpauth/mcpauth/tui/widget"
)

// Resources lists what can be read, and shows it.
type Resources struct {
	screen.Loading[resourceItem]
	splitPane
	rows   []resourceRow
	folded map[string]bool // groups that are closed

	subscribed map[string]time.Time // by URI: when it changed last; zero for not yet
	readURI    string               // what the text is of, or will be
}

// resourceItem is a resource or a template, with its texts cleaned.
type resourceItem struct {
	mcpclient.Resource
	shown, name, description, mime, group string
}

// template reports whether it is one.
func (r *resourceItem) template() bool { return r.URITemplate != "" }

// resourceRow is a line of the list: a group, or an item of it.
type resourceRow struct {
	group string
	size  int // of a group
	item  int // index in all; -1 for a group
}

// subscriptionMade is the answer to a subscription, or to the end of one.
type subscriptionMade struct {
	uri     string
	on      bool
	problem *problem.Problem
}

func NewResources(w *screen.Session) *Resources {
	return &Resources{splitPane: newSplitPane(w, 0.45, 0, 1), folded: map[string]bool{}, subscribed: map[string]time.Time{}}
}

func (s *Resources) Count() (int, bool) { return len(s.All), s.Loaded }

func (s *Resources) reload() widget.Action {
	server := s.Server
	if server == nil || s.Info.Lacks["resources"] {
		s.Loaded = server != nil
		return nil
	}
	return s.Load("resources/list", func(ctx context.Context) ([]resourceItem, error) {
		resources, err := server.Resources(ctx)
		items := make([]resourceItem, len(resources))
		for i, r := range resources {
			items[i] = cleanResource(r)
		}
		return items, err
	})
}

func cleanResource(r mcpclient.Resource) resourceItem {
	item := resourceItem{
		Resource: r, shown: text.CleanLine(r.URI), name: text.CleanLine(r.Name), description: text.CleanText(r.Description),
		mime: text.CleanLine(r.MIMEType), group: group(r.URI),
	}
	if r.Title != "" {
		item.name = text.CleanLine(r.Title)
	}
	if r.URITemplate != "" {
		item.shown, item.group = text.CleanLine(r.URITemplate), templates
	}
	return item
}

// templates is the group of the templates, the last one.
const templates = "Templates"

// group is the scheme of an address and the folder that it is in.
func group(uri string) string {
	i := strings.LastIndexByte(strings.TrimRight(uri, "/"), '/')
	if scheme := strings.Index(uri, "://"); scheme >= 0 && i < scheme+3 {
		i = scheme + 2
	}
	return text.CleanLine(uri[:i+1])
}

func (s *Resources) Update(msg tea.Msg) widget.Action {
	switch msg := msg.(type) {
	case screen.ServerUp, screen.AccountChanged, screen.ResourcesChanged:
		return s.reload()
	case screen.ServerGone:
		s.Forget()
		s.gone()
		s.subscribed = map[string]time.Time{}
		s.arrange()
	case screen.ListRead[resourceItem]:
		s.Take(msg)
		s.arrange()
	case subscriptionMade:
		return s.subscription(msg)
	case mcpclient.Event:
		return s.event(msg)
	case tea.MouseWheelMsg, tea.MouseClickMsg:
		return s.pointed(msg, s.chose, s.enter)
	default:
		return s.receive(msg, s.arrange)
	}
	return nil
}

// arrange makes the rows: groups in order, the filter applied.
func (s *Resources) arrange() {
	chosen, had := s.chosen()
	groups := map[string][]int{}
	var names []string
	for i := range s.All {
		item := &s.All[i]
		if _, ok := widget.Matches(item.shown+" "+item.name+" "+item.description, s.filter.Value()); !ok {
			continue
		}
		if groups[item.group] == nil {
			names = append(names, item.group)
		}
		groups[item.group] = append(groups[item.group], i)
	}
	slices.SortStableFunc(names, func(a, b string) int {
		if (a == templates) != (b == templates) {
			return map[bool]int{true: 1, false: -1}[a == templates]
		}
		return strings.Compare(a, b)
	})
	s.rows = nil
	for _, name := range names {
		s.rows = append(s.rows, resourceRow{name, len(groups[name]), -1})
		if s.folded[name] && s.filter.Value() == "" {
			continue
		}
		for _, i := range groups[name] {
			s.rows = append(s.rows, resourceRow{name, 0, i})
		}
	}
	s.Resize(len(s.rows))
	at := slices.IndexFunc(s.rows, func(r resourceRow) bool {
		return had && r.item >= 0 && s.All[r.item].shown == chosen.shown
	})
	if at < 0 && (s.Cursor == 0 || s.filter.Value() != "") { // not on the name of a group
		at = slices.IndexFunc(s.rows, func(r resourceRow) bool { return r.item >= 0 })
	}
	if at >= 0 {
		s.Cursor = at
	}
	s.chose()
}

// chosen is the item that the cursor is on.
func (s *Resources) chosen() (resourceItem, bool) {
	if s.Cursor >= len(s.rows) || s.rows[s.Cursor].item < 0 || s.rows[s.Cursor].item >= len(s.All) {
		return resourceItem{}, false
	}
	return s.All[s.rows[s.Cursor].item], true
}

// chose prepares the form of a template that is chosen.
func (s *Resources) chose() widget.Action {
	item, ok := s.chosen()
	if !ok || !item.template() || s.formOf == item.URITemplate {
		return nil
	}
	s.formOf, s.form = item.URITemplate, nil
	parsed, err := uritemplate.New(item.URITemplate)
	if err != nil {
		return nil
	}
	var arguments []mcpclient.PromptArgument
	for _, name := range parsed.Varnames() {
		arguments = append(arguments, mcpclient.PromptArgument{Name: name})
	}
	s.form = newArgumentForm(s.Session, mcpclient.CompletionRef{URITemplate: item.URITemplate}, arguments)
	return nil
}

// enter opens what the cursor is on: a group, a resource, the form of a template.
func (s *Resources) enter() widget.Action {
	item, ok := s.chosen()
	switch {
	case !ok && s.Cursor < len(s.rows):
		name := s.rows[s.Cursor].group
		s.folded[name] = !s.folded[name]
		at := s.Cursor
		s.arrange()
		s.Cursor = at
		return nil
	case !ok:
		return nil
	case item.template():
		return s.openForm()
	}
	return s.Open(item.URI)
}

func (s *Resources) openForm() widget.Action {
	s.chose()
	if s.form == nil {
		return widget.Bad("this template cannot be read; its server has to fix it")
	}
	s.focus = onForm
	return s.form.focus()
}

// Open reads an address and shows what comes.
func (s *Resources) Open(uri string) widget.Action {
	if s.Server == nil {
		return widget.Bad("there is no server to read from")
	}
	s.readURI = uri
	server := s.Server
	return s.get("resources/read", "the reading was stopped", func(ctx context.Context) (widget.Viewer, error) {
		result, err := server.Read(ctx, uri)
		return widget.Viewer{Parts: result.Contents, Whole: result.Raw, Heads: len(result.Contents) > 1}, err
	})
}

// expand makes an address of the template and what was typed.
func (s *Resources) expand() (string, error) {
	parsed, err := uritemplate.New(s.formOf)
	if err != nil {
		return "", err
	}
	values := uritemplate.Values{}
	for name, value := range s.form.set() {
		values.Set(name, uritemplate.String(value))
	}
	return parsed.Expand(values)
}

func (s *Resources) readTemplate() widget.Action {
	uri, err := s.expand()
	if err != nil {
		return widget.Bad(err.Error())
	}
	s.form.blur()
	return s.Open(uri)
}

// toggleSubscription asks the server to tell of changes, or not to.
func (s *Resources) toggleSubscription(uri string) widget.Action {
	server := s.Server
	if server == nil {
		return nil
	}
	_, on := s.subscribed[uri]
	return widget.Run(func(ctx context.Context) tea.Msg {
		do := server.Subscribe
		if on {
			do = server.Unsubscribe
		}
		if err := do(ctx, uri); err != nil {
			return subscriptionMade{uri: uri, problem: problem.Of(err)}
		}
		return subscriptionMade{uri: uri, on: !on}
	}).For("resources/subscribe")
}

func (s *Resources) subscription(made subscriptionMade) widget.Action {
	switch {
	case made.problem != nil:
		return widget.Bad(made.problem.Msg)
	case made.on:
		s.subscribed[made.uri] = time.Time{}
		return widget.Good("subscribed to " + made.uri)
	}
	delete(s.subscribed, made.uri)
	return widget.Good("no longer subscribed to " + made.uri)
}

// event marks what has changed, and reads it again where it is shown.
func (s *Resources) event(e mcpclient.Event) widget.Action {
	if _, ours := s.subscribed[e.URI]; e.Kind != mcpclient.EventResourceUpdated || !ours {
		return nil
	}
	s.subscribed[e.URI] = s.Now()
	if e.URI == s.readURI && s.getting == nil {
		at := s.focus
		a := s.Open(e.URI)
		s.focus = at
		return a
	}
	return nil
}

// target is the address that keys are about: what is read, or what is chosen.
func (s *Resources) target() string {
	if s.focus == onText {
		return s.readURI
	}
	if item, ok := s.chosen(); ok && !item.template() {
		return item.URI
	}
	return ""
}

func (s *Resources) Status() string {
	if len(s.subscribed) == 0 {
		return ""
	}
	words, last := fmt.Sprintf("◉ subscribed to %d", len(s.subscribed)), time.Time{}
	for _, at := range s.subscribed {
		if at.After(last) {
			last = at
		}
	}
	if !last.IsZero() {
		words += ", updated " + last.Local().Format("15:04:05")
	}
	return s.Theme.Good.Render(words)
}
