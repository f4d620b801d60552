package edit

import (
	"bytes"
	"cmp"
	"slices"
)

// BOM is the byte order mark that some Windows editors put first. It is cut off
// for reading and kept in an edit.
const BOM = "\xef\xbb\xbf"

// Range is data[Start:End].
type Range struct{ Start, End int }

// Cut returns data without the ranges.
func Cut(data []byte, ranges []Range) []byte {
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.Start, b.Start) })
	out, at := []byte{}, 0
	for _, r := range ranges {
		out = append(out, data[at:max(at, r.Start)]...)
		at = max(at, r.End)
	}
	return append(out, data[at:]...)
}

// splice returns data with a range replaced by a text.
func splice(data []byte, start, end int, text string) []byte {
	return slices.Concat(data[:start], []byte(text), data[end:])
}

// LineEnd returns the line end of a file: that of its first line.
func LineEnd(data []byte) string {
	if i := bytes.IndexByte(data, '\n'); i > 0 && data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// EndWith adds a last line and ends the file as it ended before: with a line
// end or without.
func EndWith(data []byte, line string) []byte {
	eol := LineEnd(data)
	if len(data) == 0 || bytes.HasSuffix(data, []byte("\n")) {
		return slices.Concat(data, []byte(line+eol))
	}
	return slices.Concat(data, []byte(eol+line))
}

// indentAt is the white space at the start of the line that an offset is in.
func indentAt(data []byte, at int) string {
	line := data[bytes.LastIndexByte(data[:at], '\n')+1:]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// firstOnLine reports whether only white space stands before an offset in its line.
func firstOnLine(data []byte, at int) bool {
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	return len(bytes.TrimLeft(data[start:at], " \t")) == 0
}
