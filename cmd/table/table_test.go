package table

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestTextWidth(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "orders": 6, "Größe": 5, "e\u0301": 1, "注文": 4, "ｆ": 2, "😀": 2, "🇩🇪": 2,
		"❤": 1, "❤️": 2, "1️⃣": 2, "👍🏽": 2, "👩‍💻": 2, "👨‍👩‍👧‍👦 x": 4, "🏴󠁧󠁢󠁥󠁮󠁧󠁿": 2, "✅ done": 7,
	} {
		if got := ansi.StringWidth(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestCutFits(t *testing.T) {
	for _, text := range []string{"注文を検索する", "👩‍💻 writes code 😀😀", "plain words", "❤️❤️❤️❤️"} {
		for room := 1; room < ansi.StringWidth(text); room++ {
			if short := Cut(text, room); ansi.StringWidth(short) > room || !strings.HasSuffix(short, "…") {
				t.Errorf("%q in %d columns: %q of %d", text, room, short, ansi.StringWidth(short))
			}
		}
		if Cut(text, ansi.StringWidth(text)) != text {
			t.Errorf("%q does not stay", text)
		}
	}
}

// The columns stand below each other whatever stands in them.
func TestTableLine(t *testing.T) {
	rows := [][]string{{"a", "✅ read", "x"}, {"注文", "", "y"}, {"👩‍💻❤️", "write", "z"}}
	widths := []int{4, 7, 1}
	for _, row := range rows {
		line := tableLine(row, widths, 0)
		if at := ansi.StringWidth(line[:len(line)-1]); at != fixedWidth(widths) {
			t.Errorf("%q: the last column is at %d, not %d", line, at, fixedWidth(widths))
		}
	}
}
