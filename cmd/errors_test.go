package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/broker/doctor"
)

// The page about the findings is made of the table that the doctor uses. To write
// it again: go generate ./cmd
func TestErrorsPage(t *testing.T) {
	page, path := errorsPage(), filepath.Join(repository, "docs", "errors.md")
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page, strings.ReplaceAll(string(have), "\r\n", "\n")); diff != "" {
		t.Errorf("docs/errors.md is not what the table says; run: go generate ./cmd\n(-table +page):\n%s", diff)
	}
}

func errorsPage() string {
	var b strings.Builder
	b.WriteString("# Findings of the doctor\n\n" +
		"`mcpauth doctor` gives each finding a code, and errors with `--json` have it as `code`. `mcpauth doctor --explain CODE` says\n" +
		"the same as this page. A problem makes the doctor exit with 8; a note works as it is. A code that ends in 0 is a check that\n" +
		"passed. Codes never change their meaning. This page is written by `go generate ./cmd`.\n")
	area := ""
	for _, kind := range doctor.Kinds() {
		if now := doctor.Area(kind.Code); now != area {
			area = now
			fmt.Fprintf(&b, "\n## %s%s\n", strings.ToUpper(area[:1]), area[1:])
		}
		if kind.Severity == doctor.Fine {
			fmt.Fprintf(&b, "\n`%s` ok: %s.\n", kind.Code, kind.Title)
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n**%s** (%s). %s\n", kind.Code, kind.Title, kind.Severity, kind.Why)
		for _, hint := range kind.Hints {
			fmt.Fprintf(&b, "\n* %s", hint)
		}
		if len(kind.Hints) > 0 {
			b.WriteString("\n")
		}
	}
	return b.String()
}

// Every row of the table can be used: a code of its own, in order, with words; a
// hint that is a command names one that exists.
func TestFindingKinds(t *testing.T) {
	code, last := regexp.MustCompile(`^MA[1-9]\d\d$`), ""
	for _, kind := range doctor.Kinds() {
		switch {
		case !code.MatchString(kind.Code) || kind.Code <= last:
			t.Errorf("%s is no code, or not in order", kind.Code)
		case (kind.Severity == doctor.Fine) != strings.HasSuffix(kind.Code, "0"):
			t.Errorf("%s: a code ends in 0 if the check passed, and only then", kind.Code)
		case kind.Title == "" || doctor.Area(kind.Code) == "":
			t.Errorf("%s has no title or no area", kind.Code)
		case kind.Severity == doctor.Bad && (kind.Why == "" || len(kind.Hints) == 0):
			t.Errorf("%s is a problem without a reason or a hint", kind.Code)
		}
		last = kind.Code
		for _, hint := range kind.Hints {
			if args, ok := mcpauthArgs(hint); ok {
				checkCommandLine(t, kind.Code, args)
			}
		}
	}
}
