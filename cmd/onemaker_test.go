package cmd

import (
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// jobs are done in one place each. code is what only that place has a use for, which a
// second maker would have to write, too. That files are compared by go-internal/diff
// alone stands in onlyIn. The tables of audit list and stats are the only ones beside
// app.table: one prints what may be long in blocks, the other numbers to the right.
var jobs = []struct {
	job    string
	code   *regexp.Regexp
	makers []string // packages, or files
}{
	{"read a JSON Schema", regexp.MustCompile(`"(patternProperties|anyOf|oneOf|allOf|\$ref)"`), []string{"broker/toolargs"}},
	{"greet an MCP server", regexp.MustCompile(`"clientInfo":`), []string{"broker/mcpclient"}},
	{"make text safe for a terminal", regexp.MustCompile(`unicode\.(IsPrint|IsControl|IsGraphic)\b`), []string{"broker/text"}},
	{"print a table", regexp.MustCompile(`tabwriter\.NewWriter`), []string{"cmd/auditcmd/audit.go", "cmd/auditcmd/stats.go"}},
	{"show Markdown", regexp.MustCompile(`glamour\.`), []string{"tui/widget"}},
	{"know a provider by its host", regexp.MustCompile(`"[a-z.-]*(okta|auth0|google|microsoftonline)\.com"`), []string{"broker/config"}},
}

func TestOneMaker(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, file := range p.GoFiles {
			code := codeOf(t, filepath.Join(p.Dir, file))
			for _, j := range jobs {
				if found := j.code.FindString(code); found != "" && !slices.Contains(j.makers, name) && !slices.Contains(j.makers, name+"/"+file) {
					t.Errorf("%s/%s has %s: to %s is the job of %v", name, file, found, j.job, j.makers)
				}
			}
		}
	}
}

// codeOf is a file without its comments.
func codeOf(t *testing.T, path string) string {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	var s scanner.Scanner
	s.Init(files.AddFile(path, -1, len(source)), source, nil, 0)
	var code strings.Builder
	for {
		_, kind, literal := s.Scan()
		if kind == token.EOF {
			return code.String()
		}
		if literal == "" {
			literal = kind.String()
		}
		code.WriteString(literal)
	}
}
