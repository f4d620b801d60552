package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/yosida95/uritemplate/v3"

	"github.com/mcpauth/mcpauth/broker"
)

// resourcesScreen lists what can be read, and shows it.
type resourcesScreen struct {
	loading[resourceItem]
	beside
	rows   []resourceRow
	folded map[string]bool // groups that are closed

	subscribed map[string]time.Time // by URI: when it changed last; zero for not yet
	readURI    string               // what the text is of, or will be
}

// resourceItem is a resource or a template, with its texts cleaned.
type resourceItem struct {
	broker.Resource
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
	problem *broker.Problem
}

func newResourcesScreen(w *world) *resourcesScreen {
	return &resourcesScreen{beside: newBeside(w, 0.45, 0, 1), folded: map[string]bool{}, subscribed: map[string]time.Time{}}
}

func (s *resourcesScreen) count() (int, bool) { return len(s.all), s.loaded }

func (s *resourcesScreen) reload() action {
	server := s.server
	if server == nil || s.info.lacks["resources"] {
		s.loaded = server != nil
		return nil
	}
	return s.load(func(ctx context.Context) ([]resourceItem, error) {
		resources, err := server.Resources(ctx)
		items := make([]resourceItem, len(resources))
		for i, r := range resources {
			items[i] = cleanResource(r)
		}
		return items, err
	})
}

func cleanResource(r broker.Resource) resourceItem {
	item := resourceItem{
		Resource: r, shown: broker.CleanLine(r.URI), name: broker.CleanLine(r.Name), description: broker.CleanText(r.Description),
		mime: broker.CleanLine(r.MIMEType), group: group(r.URI),
	}
	if r.Title != "" {
		item.name = broker.CleanLine(r.Title)
	}
	if r.URITemplate != "" {
		item.shown, item.group = broker.CleanLine(r.URITemplate), templates
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
	return broker.CleanLine(uri[:i+1])
}

func (s *resourcesScreen) update(msg tea.Msg) action {
	switch msg := msg.(type) {
	case serverUp, accountNew, resourcesNew:
		return s.reload()
	case serverGone:
		s.forget()
		s.gone()
		s.subscribed = map[string]time.Time{}
		s.arrange()
	case listRead[resourceItem]:
		s.take(msg)
		s.arrange()
	case subscriptionMade:
		return s.subscription(msg)
	case broker.ExplorerEvent:
		return s.event(msg)
	case tea.MouseWheelMsg, tea.MouseClickMsg:
		return s.pointed(msg, s.chose, s.enter)
	default:
		return s.hear(msg, s.arrange)
	}
	return nil
}

// arrange makes the rows anew: groups in order, the filter applied.
func (s *resourcesScreen) arrange() {
	chosen, had := s.chosen()
	groups := map[string][]int{}
	var names []string
	for i := range s.all {
		item := &s.all[i]
		if _, ok := matches(item.shown+" "+item.name+" "+item.description, s.filter.Value()); !ok {
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
	s.resize(len(s.rows))
	at := slices.IndexFunc(s.rows, func(r resourceRow) bool {
		return had && r.item >= 0 && s.all[r.item].shown == chosen.shown
	})
	if at < 0 && (s.cursor == 0 || s.filter.Value() != "") { // not on the name of a group
		at = slices.IndexFunc(s.rows, func(r resourceRow) bool { return r.item >= 0 })
	}
	if at >= 0 {
		s.cursor = at
	}
	s.chose()
}

// chosen is the item that the cursor is on.
func (s *resourcesScreen) chosen() (resourceItem, bool) {
	if s.cursor >= len(s.rows) || s.rows[s.cursor].item < 0 || s.rows[s.cursor].item >= len(s.all) {
		return resourceItem{}, false
	}
	return s.all[s.rows[s.cursor].item], true
}

// chose prepares the form of a template that is chosen.
func (s *resourcesScreen) chose() action {
	item, ok := s.chosen()
	if !ok || !item.template() || s.formOf == item.URITemplate {
		return nil
	}
	s.formOf, s.form = item.URITemplate, nil
	parsed, err := uritemplate.New(item.URITemplate)
	if err != nil {
		return nil
	}
	var arguments []broker.PromptArgument
	for _, name := range parsed.Varnames() {
		arguments = append(arguments, broker.PromptArgument{Name: name})
	}
	s.form = newArgumentForm(s.world, broker.CompletionRef{URITemplate: item.URITemplate}, arguments)
	return nil
}

// enter opens what the cursor is on: a group, a resource, the form of a template.
func (s *resourcesScreen) enter() action {
	item, ok := s.chosen()
	switch {
	case !ok && s.cursor < len(s.rows):
		name := s.rows[s.cursor].group
		s.folded[name] = !s.folded[name]
		at := s.cursor
		s.arrange()
		s.cursor = at
		return nil
	case !ok:
		return nil
	case item.template():
		return s.openForm()
	}
	return s.open(item.URI)
}

func (s *resourcesScreen) openForm() action {
	s.chose()
	if s.form == nil {
		return notice{bad, "this template cannot be read; the server has to mend it"}
	}
	s.focus = onForm
	return s.form.focus(0)
}

// open reads an address and shows what comes.
func (s *resourcesScreen) open(uri string) action {
	if s.server == nil {
		return notice{bad, "there is no server to read from"}
	}
	s.readURI = uri
	server := s.server
	return s.get("the reading was stopped", func(ctx context.Context) (document, error) {
		result, err := server.Read(ctx, uri)
		return document{parts: result.Contents, whole: result.Raw, heads: len(result.Contents) > 1}, err
	})
}

// expand makes an address of the template and what was typed.
func (s *resourcesScreen) expand() (string, error) {
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

func (s *resourcesScreen) readTemplate() action {
	uri, err := s.expand()
	if err != nil {
		return notice{bad, err.Error()}
	}
	s.form.blur()
	return s.open(uri)
}

// toggleSubscription asks the server to tell of changes, or not to.
func (s *resourcesScreen) toggleSubscription(uri string) action {
	server := s.server
	if server == nil {
		return nil
	}
	_, on := s.subscribed[uri]
	return run(func(ctx context.Context) tea.Msg {
		do := server.Subscribe
		if on {
			do = server.Unsubscribe
		}
		if err := do(ctx, uri); err != nil {
			return subscriptionMade{uri: uri, problem: broker.AsProblem(err)}
		}
		return subscriptionMade{uri: uri, on: !on}
	})
}

func (s *resourcesScreen) subscription(made subscriptionMade) action {
	switch {
	case made.problem != nil:
		return notice{bad, made.problem.Msg}
	case made.on:
		s.subscribed[made.uri] = time.Time{}
		return notice{good, "subscribed to " + made.uri}
	}
	delete(s.subscribed, made.uri)
	return notice{good, "no longer subscribed to " + made.uri}
}

// event marks what has changed, and reads it again where it is shown.
func (s *resourcesScreen) event(e broker.ExplorerEvent) action {
	if _, ours := s.subscribed[e.URI]; e.Kind != broker.EventResourceUpdated || !ours {
		return nil
	}
	s.subscribed[e.URI] = s.now()
	if e.URI == s.readURI && s.getting == nil {
		at := s.focus
		a := s.open(e.URI)
		s.focus = at
		return a
	}
	return nil
}

// target is the address that keys are about: what is read, or what is chosen.
func (s *resourcesScreen) target() string {
	if s.focus == onText {
		return s.readURI
	}
	if item, ok := s.chosen(); ok && !item.template() {
		return item.URI
	}
	return ""
}

func (s *resourcesScreen) status() string {
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
	return s.look.good.Render(words)
}
