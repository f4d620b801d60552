package text

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// ParseSpan reads a duration as Go spells it, or whole days, as "7d".
func ParseSpan(v string) (time.Duration, error) {
	span, err := time.ParseDuration(v)
	if days, isDays := strings.CutSuffix(v, "d"); isDays {
		var n int
		n, err = strconv.Atoi(days)
		span = time.Duration(min(n, maxSpanDays)) * 24 * time.Hour
	}
	if err != nil || span < time.Second {
		return 0, fmt.Errorf(`must be a time of a second or more, like "30m", "12h" or "7d", not %q`, v)
	}
	return span, nil
}

// maxSpanDays keeps a span within what a time.Duration can hold.
const maxSpanDays = 100_000

// CheckPrintable refuses what cannot be printed, and blanks at either end.
func CheckPrintable(v string) error {
	for _, r := range v {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return errors.New("has a character that cannot be printed")
		}
	}
	if v != strings.TrimSpace(v) {
		return errors.New("has a space at one end")
	}
	return nil
}
