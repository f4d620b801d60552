package gate

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/broker/policy"
	"github.com/mcpauth/mcpauth/broker/problem"
	"github.com/mcpauth/mcpauth/broker/relay"
)

// authorizer guards all the ways to what a server holds: lists and calls, subscriptions,
// completions, tasks. Each asks the same policy the same question about the
// thing behind it, so that what is listed is what may be used.
type authorizer struct {
	server string // as the audit log names it
	policy *policyWatch
	views  userView
	tools  *toolCatalog
	tasks  taskOwners
	pins   *pinStore
	hidden func(method string, element []byte) // gets what a list loses; may be nil
}

// decision is what the policy says of a message.
type decision struct {
	policy.Decision
	item policy.Item // what it is about
	why  string      // what a denial of our own, without a rule, is for
	code int         // of the error that says so, if it is not that of every denial
}

// view is the policy as the user of the session sees it.
func (d *authorizer) view(now *identity.Snapshot) *policy.View {
	return d.views.of(d.policy.current.Load(), now, d.server)
}

// judge asks the policy about a call of the client.
func (d *authorizer) judge(m *relay.Message, session *identity.Snapshot) decision {
	view, now := d.view(session), m.Now()
	method := m.Method()
	if known, found := resembledMethod(method); found {
		return refusal(policy.Item{Kind: policy.Method, Name: method}, "look-alike", "MCP has no method of this name, which only looks like "+known)
	}
	switch {
	case method == "subscriptions/listen":
		return d.subscription(m, view, now)
	case strings.HasPrefix(method, "tasks/"):
		return d.task(m, session.User, view, now)
	case method == "tools/call":
		if known, found := d.tools.lookAlike(m.Name()); found {
			if view.Decide(policy.Item{Kind: policy.Tool, Name: known}, now).Effect == policy.Deny {
				known = "that of another tool" // which the lists hide from this user
			}
			return refusal(policy.Item{Kind: policy.Tool, Name: m.Name()}, "look-alike",
				"no tool has this name, which only looks like "+known)
		}
		if d.pins.blocks(m.Name()) {
			return refusal(policy.Item{Kind: policy.Tool, Name: m.Name()}, "pin",
				"this tool is new, or changed since the user approved it; they can look at it with:  mcpauth tools approve"+problem.ProfileFlag(d.pins.profile))
		}
	}
	item := itemOf(m)
	// A lenient server may read ["delete"] as "delete", and a ref of an unknown
	// type as a prompt's: where rules look at names, a call must have one.
	if nameless := item.Name == "" || method == "completion/complete" && item.Kind == policy.Method; nameless && !d.policy.current.Load().None() {
		return refusal(item, "nameless", "what it is about is not named by a text")
	}
	return decision{Decision: view.Decide(item, now), item: item}
}

func refusal(item policy.Item, rule, why string) decision {
	return decision{Decision: policy.Decision{Effect: policy.Deny, Rule: rule}, item: item, why: why}
}

// itemOf is what a call is about.
func itemOf(m *relay.Message) policy.Item {
	method := m.Method()
	if method == "completion/complete" {
		return completed(m)
	}
	return named(method, m.Subject())
}

// itemAsked is what a call that is recorded was about.
func itemAsked(r *relay.Request) policy.Item { return named(r.Method, r.Name) }

// named is what a call with such a subject is about.
func named(method, subject string) policy.Item {
	switch method {
	case "tools/call":
		return policy.Item{Kind: policy.Tool, Name: subject}
	case "prompts/get":
		return policy.Item{Kind: policy.Prompt, Name: subject}
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		return policy.Item{Kind: policy.Resource, Name: subject}
	default:
		return policy.Item{Kind: policy.Method, Name: method}
	}
}

// completed is what a completion/complete is about: its answers tell of it.
func completed(m *relay.Message) policy.Item {
	kind, name, uri := m.Ref()
	switch {
	case kind == "ref/prompt":
		return policy.Item{Kind: policy.Prompt, Name: name}
	case kind == "ref/resource" && strings.Contains(uri, "{"):
		return policy.Item{Kind: policy.Template, Name: uri}
	case kind == "ref/resource":
		return policy.Item{Kind: policy.Resource, Name: uri}
	}
	return policy.Item{Kind: policy.Method, Name: m.Method()}
}

// subscription decides about a subscriptions/listen: each resource must be one
// that may be read.
func (d *authorizer) subscription(m *relay.Message, view *policy.View, now time.Time) decision {
	var wanted struct {
		URIs []string `json:"resourceSubscriptions"`
	}
	listen := policy.Item{Kind: policy.Method, Name: m.Method()}
	if text := m.Notifications(); text != nil && relay.DecodeStrict(text, &wanted) != nil {
		return refusal(listen, "unreadable", "its subscriptions cannot be read")
	}
	for _, uri := range wanted.URIs {
		item := policy.Item{Kind: policy.Resource, Name: uri}
		if d := view.Decide(item, now); d.Effect != policy.Allow {
			return decision{Decision: d, item: item}
		}
	}
	return decision{Decision: policy.Decision{Effect: policy.Allow, Rule: "lists and resources that may be seen"}, item: listen}
}

// task decides about a task: it belongs to the user and the call that made it. One
// that nobody here has seen may be anybody's, and of any tool: it is for a user who
// may use them all.
func (d *authorizer) task(m *relay.Message, user identity.User, view *policy.View, now time.Time) decision {
	item := policy.Item{Kind: policy.Method, Name: m.Method()}
	if m.Method() == "tasks/result" && m.Modern() { // MCP 2026-07-28 has it no more
		r := refusal(item, "no such method", "this version of MCP has no "+m.Method())
		r.code = codeNoMethod
		return r
	}
	switch owner, known := d.tasks.owner(m.TaskID()); {
	case known && owner.sub == user.Sub:
		item = policy.Item{Kind: policy.Tool, Name: owner.tool}
		return decision{Decision: view.Decide(item, now), item: item}
	case !known && m.TaskID() != "" && view.AllowsAllTools(now) && !d.tasks.forgetful():
		return decision{Decision: policy.Decision{Effect: policy.Allow, Rule: "every tool is allowed"}, item: item}
	}
	r := refusal(item, "foreign task", "this user has no task of that id")
	r.code = relay.CodeInvalidParams
	return r
}

// list says where a list result holds what.
type list struct {
	member, name string
	kind         policy.Kind
}

// lists are the lists that are filtered, by method.
var filteredLists = map[string]list{
	"tools/list":               {"tools", "name", policy.Tool},
	"prompts/list":             {"prompts", "name", policy.Prompt},
	"resources/list":           {"resources", "uri", policy.Resource},
	"resources/templates/list": {"resourceTemplates", "uriTemplate", policy.Template},
	"tasks/list":               {"tasks", "taskId", policy.Tool},
}

// isList reports whether a method is one of filteredLists.
func isList(method string) bool {
	if !strings.HasSuffix(method, "/list") {
		return false // nearly all
	}
	_, is := filteredLists[method]
	return is
}

// filter returns the answer to a list method without what the user may not use,
// or nil if it stays as it is. A list that cannot be read does not pass.
func (d *authorizer) filter(out *relay.Output, request *relay.Request, now *identity.Snapshot) []byte {
	view, moment := d.view(now), out.Now()
	where := filteredLists[request.Method]
	pinned := request.Method == "tools/list" && d.pins.blocking()
	free := request.Method != "tasks/list" && view.AllowsAll() && !pinned
	line, ok := out.Filter(relay.ListFilter{
		Member: where.member, Name: where.name, Private: !free, Add: !free && request.Modern,
		Keep: func(name string, element []byte) bool {
			if !isReadable(request.Method, element) {
				return false
			}
			if free {
				return true
			}
			if request.Method == "tasks/list" {
				owner, known := d.tasks.owner(name)
				if !known && now.State == identity.SignedIn && view.AllowsAllTools(moment) && !d.tasks.forgetful() {
					return true
				}
				if !known || now.State != identity.SignedIn || owner.sub != now.User.Sub {
					return false
				}
				name = owner.tool
			}
			keep := view.Decide(policy.Item{Kind: where.kind, Name: name}, moment).Effect != policy.Deny && !(pinned && d.pins.blocks(name))
			if !keep && d.hidden != nil {
				d.hidden(request.Method, element)
			}
			return keep
		},
	})
	if !ok || !isReadableList(request.Method, out.Result()) {
		return relay.AppendError(nil, request.ID, CodeTrouble, "mcpauth: the server's list cannot be read, so it is not shown", nil)
	}
	return line
}

// hears reports whether a user may get a notification of the server.
func (d *authorizer) hears(out *relay.Output, session SignIn) bool {
	method := out.Method()
	task := strings.HasPrefix(method, "notifications/tasks")
	if method != "notifications/resources/updated" && !task {
		return true
	}
	now := session.Snapshot()
	var message struct {
		Params struct {
			URI    string `json:"uri"`
			TaskID string `json:"taskId"`
		} `json:"params"`
	}
	if now.State != identity.SignedIn || relay.DecodeStrict(out.Bytes(), &message) != nil {
		return false // the user who subscribed to it has signed out, or it is not readable
	}
	if task {
		owner, known := d.tasks.owner(message.Params.TaskID)
		return !known || owner.sub == now.User.Sub
	}
	item := policy.Item{Kind: policy.Resource, Name: message.Params.URI}
	return d.view(now).Decide(item, out.Now()).Effect == policy.Allow
}

// taskOwners knows whose task is whose.
type taskOwners struct {
	mu     sync.Mutex
	owners map[string]taskOwner
	forgot bool // a task that it knew, or could not read
}

type taskOwner struct{ sub, tool string }

// maxTasks bounds what is remembered. A task that is forgotten can be asked for
// no more.
const maxTasks = 10_000

func (b *taskOwners) owner(id string) (taskOwner, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	owner, known := b.owners[id]
	return owner, known
}

// forgetful reports whether there may be tasks of others that are not known any more.
func (b *taskOwners) forgetful() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.forgot
}

// note learns of a task from the answer to a tools/call: result.task of MCP
// 2025-11-25, or the result itself of the tasks extension of 2026-07-28.
func (b *taskOwners) note(result []byte, owner taskOwner) {
	if !bytes.Contains(result, []byte("ask")) { // taskId or task; in another spelling it stays unknown
		return
	}
	var made struct {
		TaskID string `json:"taskId"`
		Task   struct {
			TaskID string `json:"taskId"`
		} `json:"task"`
	}
	err := relay.DecodeStrict(result, &made)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.forgot = true
		return
	}
	if b.owners == nil || len(b.owners) >= maxTasks {
		b.forgot = b.forgot || b.owners != nil
		b.owners = map[string]taskOwner{}
	}
	for _, id := range []string{made.TaskID, made.Task.TaskID} {
		// The first owner stays: a server that gives one id to two callers must not
		// hand the first one's task over.
		if _, taken := b.owners[id]; id != "" && !taken {
			b.owners[id] = owner
		}
	}
}
