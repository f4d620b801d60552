package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/edit"
	"github.com/mcpauth/mcpauth/broker/text"
)

// Audit is the table [audit]: how the record of calls is kept, by all profiles.
type Audit struct {
	Content bool   `toml:"content,omitempty"`  // keep the values of arguments, redacted
	Keep    string `toml:"keep,omitempty"`     // how long files stay: "90d", or "forever"
	MaxSize string `toml:"max_size,omitempty"` // how much all files may hold together: "2 GB"
}

const (
	keepForever = "forever"
	defaultKeep = 90 * 24 * time.Hour
)

// KeepFor is how long files stay; 0 is for ever.
func (c Audit) KeepFor() time.Duration {
	if c.Keep == keepForever {
		return 0
	}
	if keep, err := text.ParseSpan(c.Keep); err == nil {
		return keep
	}
	return defaultKeep
}

// MaxBytes is how much all files may hold together, in bytes.
func (c Audit) MaxBytes() int64 {
	if size, err := parseSize(c.MaxSize); err == nil {
		return size
	}
	return audit.DefaultMaxSize
}

// check returns the first field that holds a bad value, and why it is bad.
func (c Audit) check() (field string, err error) {
	if c.Keep != "" && c.Keep != keepForever {
		if keep, err := text.ParseSpan(c.Keep); err != nil || keep < 24*time.Hour {
			return "keep", fmt.Errorf(`must be a day or more, like "90d", or "forever", not %q`, c.Keep)
		}
	}
	if c.MaxSize != "" {
		if _, err := parseSize(c.MaxSize); err != nil {
			return "max_size", err
		}
	}
	return "", nil
}

// sizeUnits are what a size may end with.
var sizeUnits = []struct {
	name  string
	bytes int64
}{{"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}}

// parseSize reads a number of bytes, as "2 GB".
func parseSize(v string) (int64, error) {
	const least, most = 64 << 10, 1 << 40
	for _, unit := range sizeUnits {
		if number, ok := strings.CutSuffix(v, unit.name); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 32)
			if size := n * unit.bytes; err == nil && size >= least && size <= most {
				return size, nil
			}
		}
	}
	return 0, fmt.Errorf(`must be a size from "64KB" to "1024GB", like "2 GB", not %q`, v)
}

// checkAudit checks the key of a value in [audit].
func checkAudit(k edit.TOMLKey) error {
	if len(k.Path) == 1 {
		return k.WantTable()
	}
	switch name := k.Path[1]; {
	case name != "content" && name != "keep" && name != "max_size":
		return fmt.Errorf("unknown key %q in [audit]%s", name, text.DidYouMean(name, []string{"content", "keep", "max_size"}))
	case len(k.Path) > 2 || k.Header:
		return fmt.Errorf("%s in [audit] is a value, not a table", name)
	case name != "content":
		return k.WantString()
	case k.Kind != unstable.Bool:
		return errors.New("content must be true or false")
	}
	return nil
}
