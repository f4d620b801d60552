package relay

// listCapabilities are the members of a server's capabilities that have a
// listChanged of their own.
var listCapabilities = map[string]bool{"tools": true, "prompts": true, "resources": true}

// OfferListChanged makes the capabilities of an initialize or server/discover
// response say listChanged for each kind of list that the server has: the proxy
// tells of changes itself, when a user signs in or out. nil means that the
// line says so already or offers no list.
func (o *Output) OfferListChanged() []byte {
	c := &capabilityWalker{walker: o.walk()}
	c.object(func(name string) {
		if name != "capabilities" || c.dec.PeekKind() != '{' {
			c.skip()
			return
		}
		c.object(func(name string) {
			if listCapabilities[name] && c.dec.PeekKind() == '{' {
				c.capability()
			} else {
				c.skip()
			}
		})
	})
	if c.failed || len(c.edits) == 0 {
		return nil
	}
	return edited(o.line, c.edits)
}

type capabilityWalker struct {
	walker
	edits []edit
}

func (c *capabilityWalker) capability() {
	var found, empty = false, true
	c.read() // {
	open := c.offset()
	for !c.failed && c.dec.PeekKind() == '"' {
		empty = false
		if c.read().String() != "listChanged" {
			c.skip()
			continue
		}
		found = true
		value, err := c.dec.ReadValue()
		c.failed = c.failed || err != nil
		if end := c.offset(); string(value) != "true" {
			c.edits = append(c.edits, edit{span{end - len(value), end}, []byte("true")})
		}
	}
	c.read() // }
	if !found {
		c.edits = append(c.edits, edit{span{open, open}, memberText("listChanged", []byte("true"), !empty)})
	}
}
