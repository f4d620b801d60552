package relay

// Tool is one element of a tools/list result.
type Tool struct {
	Name  string
	Takes bool // its inputSchema declares the reserved argument
}

// HideArgument reads the tools of a tools/list response and takes the reserved
// argument out of their input schemas: out of properties and out of required.
// line is nil when no tool declares it. A result of another shape has no tools.
func (o *Output) HideArgument(argument string) (line []byte, tools []Tool) {
	h := &schemaHider{walker: o.walk(), argument: argument}
	h.object(func(name string) { // result
		if name != "tools" || h.dec.PeekKind() != '[' {
			h.skip()
			return
		}
		h.read() // [
		for h.dec.PeekKind() == '{' {
			h.tool()
		}
		for h.dec.PeekKind() != ']' && h.skip() {
		}
		h.read() // ]
	})
	if h.failed {
		return nil, nil
	}
	if len(h.cuts) == 0 {
		return nil, h.tools
	}
	at := 0
	for _, cut := range h.cuts {
		line = append(line, o.line[at:cut.from]...)
		at = cut.to
	}
	return append(line, o.line[at:]...), h.tools
}

// schemaHider walks a tools/list result.
type schemaHider struct {
	walker
	argument string
	cuts     []span
	tools    []Tool
}

func (h *schemaHider) tool() {
	var tool Tool
	h.object(func(name string) {
		switch {
		case name == "name" && h.dec.PeekKind() == '"':
			tool.Name = h.read().String()
		case name == "inputSchema" && h.dec.PeekKind() == '{':
			tool.Takes = h.schema()
		default:
			h.skip()
		}
	})
	h.tools = append(h.tools, tool)
}

func (h *schemaHider) schema() (takes bool) {
	h.object(func(name string) {
		switch {
		case name == "properties" && h.dec.PeekKind() == '{':
			takes = h.properties()
		case name == "required" && h.dec.PeekKind() == '[':
			h.required()
		default:
			h.skip()
		}
	})
	return takes
}

func (h *schemaHider) properties() (found bool) {
	h.read() // {
	cutter := newCutter(&h.cuts, h.offset())
	for !h.failed && h.dec.PeekKind() == '"' {
		quoted, err := h.dec.ReadValue()
		if err != nil {
			h.failed = true
			return false
		}
		from := h.offset() - len(quoted)
		if decodeString(quoted) == h.argument {
			found = true
			h.skip()
			cutter.cut(h.offset())
			continue
		}
		cutter.keep(from)
		h.skip()
		cutter.kept(h.offset())
	}
	cutter.close()
	h.read() // }
	return found
}

func (h *schemaHider) required() {
	h.read() // [
	cutter := newCutter(&h.cuts, h.offset())
	for !h.failed && h.dec.PeekKind() != ']' {
		element, err := h.dec.ReadValue()
		if err != nil {
			h.failed = true
			return
		}
		if element.Kind() == '"' && decodeString(element) == h.argument {
			cutter.cut(h.offset())
			continue
		}
		cutter.keep(h.offset() - len(element))
		cutter.kept(h.offset())
	}
	cutter.close()
	h.read() // ]
}
