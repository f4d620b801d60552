package broker

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mcpauth/mcpauth/broker/policy"
)

// textEdit puts a text in the place of bytes.
type textEdit struct {
	byteRange
	text string
}

// edited applies edits that do not overlap.
func edited(data []byte, edits []textEdit) []byte {
	slices.SortStableFunc(edits, func(a, b textEdit) int { return cmp.Compare(a.start, b.start) })
	var text []byte
	at := 0
	for _, e := range edits {
		text = append(append(text, data[at:e.start]...), e.text...)
		at = e.end
	}
	return append(text, data[at:]...)
}

// ruleBlock is one [[rules]] of a text, with the comment above it.
type ruleBlock struct {
	byteRange
	header int                // index behind the line of its header
	keys   map[string]tomlKey // those of its own table, by name
}

// ruleBlocks finds the rules: each goes from the comment above its header to the
// next table that is not its own.
func ruleBlocks(data []byte, keys []tomlKey) []ruleBlock {
	var blocks []ruleBlock
	open := false
	for _, k := range keys {
		mine := k.Path[0] == "rules"
		if k.Header && !(mine && len(k.Path) > 1) {
			start := belowComment(data, k.Start)
			if open {
				blocks[len(blocks)-1].end = start
			}
			if open = mine; open {
				blocks = append(blocks, ruleBlock{byteRange{start, len(data)}, k.End, map[string]tomlKey{}})
			}
		}
		if mine && !k.Header && len(k.Path) == 2 && open {
			blocks[len(blocks)-1].keys[k.Path[1]] = k
		}
	}
	return blocks
}

// belowComment is where the comment lines begin that stand right above a place.
func belowComment(data []byte, at int) int {
	for at > 0 {
		line := bytes.LastIndexByte(data[:at-1], '\n') + 1
		if !bytes.HasPrefix(bytes.TrimLeft(data[line:at], " \t"), []byte("#")) {
			break
		}
		at = line
	}
	return at
}

// narrowed are the edits that make of a rule another one, which differs in its
// names only.
func (b ruleBlock) narrowed(from, to policy.Rule) (edits []textEdit) {
	for _, field := range []struct {
		key      string
		from, to []string
	}{{"tools", from.Tools, to.Tools}, {"resources", from.Resources, to.Resources}, {"prompts", from.Prompts, to.Prompts}} {
		k, there := b.keys[field.key]
		old := slices.Sorted(slices.Values(field.from))
		switch {
		case slices.Equal(slices.Compact(old), field.to):
		case !there:
			edits = append(edits, textEdit{byteRange{b.header, b.header}, field.key + " = " + listText(field.to) + "\n"})
		case len(field.to) == 0:
			edits = append(edits, textEdit{byteRange{k.Start, k.End}, ""})
		default:
			edits = append(edits, textEdit{byteRange{k.ValueStart, k.ValueEnd}, listText(field.to)})
		}
	}
	return edits
}

// listText is a list as TOML, one text a line where there are many.
func listText(list []string) string {
	const wide = 100
	var quoted []string
	for _, text := range list {
		quoted = append(quoted, fmt.Sprintf("%q", text)) // printable texts are written alike in TOML
	}
	if line := "[" + strings.Join(quoted, ", ") + "]"; len(line) <= wide {
		return line
	}
	return "[\n  " + strings.Join(quoted, ",\n  ") + ",\n]"
}
