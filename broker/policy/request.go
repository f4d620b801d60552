package policy

import "time"

// Request is one question: may this user do this?
type Request struct {
	Sub    string // subject of the signed-in user; empty for nobody
	Method string // MCP method, such as "tools/call"
	Name   string // tool, prompt or resource URI; empty where the method has none
}

// Decide answers a request.
func (p *Policy) Decide(r Request) Decision {
	item := Item{Method, r.Method}
	for kind, method := range itemMethods {
		if method == r.Method {
			item = Item{kind, r.Name}
		}
	}
	return p.For(User{Sub: r.Sub}, "").Decide(item, time.Time{})
}
