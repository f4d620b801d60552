package text

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Ordinary text of many scripts, and emoji, are shown as they are.
var ordinary = []string{
	"", "plain text, 100 % fine: <a href=\"x\">`y`</a> \\ {}",
	"Grüße, señor! Příliš žluťoučký kůň – „quoted“ … €5", "Việt Nam", "Viê\u0323t", // composed or not
	"Ελληνικά", "Русский текст", "עִבְרִית", "العربية ١٢٣", "می\u200cخواهم", "क्\u200dष क्षत्रिय", "മലയാളം", "ไทยที่นี่", "中文，日本語　テスト", "한국어",
	"葛\U000E0100", "ᠮᠣᠩᠭᠣᠯ",
	"👍🏽 ❤️ ✔︎ 1️⃣ #️⃣ 🇮🇹 👨‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 🧑‍⚕️ 🏴󠁧󠁢󠁳󠁣󠁴󠁿", "→ ⇒ ≠ ½ № ™ ─│┌ █", "10\u00a0000 km", "x̂ ≥ ŷ",
}

func TestOrdinaryTextStays(t *testing.T) {
	for _, text := range ordinary {
		if clean := CleanLine(text); clean != text {
			t.Errorf("%+q becomes %+q", text, clean)
		}
	}
	if text := "two lines\n\tof text\n"; CleanText(text) != text {
		t.Errorf("%q becomes %q", text, CleanText(text))
	}
}

func TestHostileTextIsShown(t *testing.T) {
	for text, want := range map[string]string{
		"\x1b[31mred":                     `\u{1B}[31mred`,
		"\u009b2J":                        `\u{9B}2J`,
		"\x1b]52;c;eA==\x07":              `\u{1B}]52;c;eA==\u{7}`,
		"safe\rrm -rf":                    `safe\u{D}rm -rf`,
		"a\x08b\x7f\x00":                  `a\u{8}b\u{7F}\u{0}`,
		"a\nb":                            `a\u{A}b`,
		"a\u2028b\u2029c\u0085d":          `a\u{2028}b\u{2029}c\u{85}d`,
		"\u202egnp.exe":                   `\u{202E}gnp.exe`,
		"\u2066x\u2069\u200e\u061c":       `\u{2066}x\u{2069}\u{200E}\u{61C}`,
		"pay\u200bpal":                    `pay\u{200B}pal`,
		"a\u200db":                        `a\u{200D}b`,
		"a\u200cb":                        `a\u{200C}b`,
		"👍\u200d":                         `👍\u{200D}`,
		"\ufeffx\u2060\u00ad":             `\u{FEFF}x\u{2060}\u{AD}`,
		"x\U000E0041\U000E0042":           `x\u{E0041}\u{E0042}`,
		"🏴\U000E0068\U000E0069\U000E007F": `🏴\u{E0068}\u{E0069}\u{E007F}`,
		"a\ufe0f\U000E0101":               `a\u{FE0F}\u{E0101}`,
		"❤\ufe0f\ufe0e\ufe01":             "❤\ufe0f" + `\u{FE0E}\u{FE01}`,
		"\u3164\u115f\uffa0\u034f":        `\u{3164}\u{115F}\u{FFA0}\u{34F}`,
		"\u0301a":                         `\u{301}a`,
		"a" + strings.Repeat("\u0336", 8): "a" + strings.Repeat("\u0336", 6) + `\u{336}` + "\u0336",
		"\ue000\U0010FFFF":                `\u{E000}\u{10FFFF}`,
		"\xff\xc0x":                       "\ufffd\ufffdx",
	} {
		if clean := CleanLine(text); clean != want {
			t.Errorf("%+q becomes %+q, want %+q", text, clean, want)
		}
	}
	if clean := CleanText("a\r\nb\rc"); clean != "a\nb"+`\u{D}`+"c" {
		t.Errorf("%q", clean)
	}
}

func FuzzClean(f *testing.F) {
	for _, text := range ordinary {
		f.Add(text)
		f.Add(text + "\x1b]0;x\a\u009b\u202e\r" + text)
	}
	f.Add("\U000E0041\u200d\ufe0f\u0301\u3164\xf0\x9f")
	f.Fuzz(func(t *testing.T, text string) {
		for name, clean := range map[string]func(string) string{"CleanLine": CleanLine, "CleanText": CleanText} {
			got := clean(text)
			if again := clean(got); again != got {
				t.Errorf("%s twice: %+q becomes %+q, then %+q", name, text, got, again)
			}
			if odd := obeyed(got, name == "CleanText"); odd != "" {
				t.Errorf("%s: %+q becomes %+q: %s", name, text, got, odd)
			}
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var before, after any
		if err := json.Unmarshal(CleanJSON(encoded), &after); err != nil {
			t.Fatalf("%q: %v", encoded, err)
		}
		_ = json.Unmarshal(encoded, &before)
		if !reflect.DeepEqual(before, after) {
			t.Errorf("CleanJSON changes %q to %q", before, after)
		}
		if odd := obeyed(string(CleanJSON(encoded)), false); odd != "" {
			t.Errorf("CleanJSON: %+q: %s", text, odd)
		}
	})
}

// obeyed says what of a text a terminal would obey, or not show.
func obeyed(text string, lines bool) string {
	marks := 0
	if !utf8.ValidString(text) {
		return "it is no UTF-8"
	}
	for _, flag := range subdivisionFlags {
		text = strings.ReplaceAll(text, flag, "F")
	}
	for i, r := range []rune(text) {
		switch {
		case lines && (r == '\n' || r == '\t'):
			marks = 0
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), unicode.In(r, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs):
			return "a control character"
		case unicode.Is(unicode.Cf, r) && r != zwj && r != zwnj:
			return "a format character"
		case r >= 0xE0000 && r <= 0xE007F:
			return "a tag"
		case unicode.Is(unicode.M, r):
			marks++
		case r != zwj && r != zwnj:
			marks = 0
		}
		if marks > maxAccess+1 {
			return "a pile of marks"
		}
		if i == 0 && unicode.Is(unicode.M, r) {
			return "a mark that stands on what is before the text"
		}
	}
	return ""
}
