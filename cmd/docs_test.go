package cmd

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/mcpauth/mcpauth/.ci/suite"
	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/clients"
	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/cmd/auditcmd"
	"github.com/mcpauth/mcpauth/cmd/console"
)

const repository = ".."

// TestClientsAreDocumented: each client of the table has its row in docs/clients.md,
// and README names it.
func TestClientsAreDocumented(t *testing.T) {
	page, readme := readText(t, "docs/clients.md"), readText(t, "README.md")
	for _, c := range clients.All() {
		if !strings.Contains(page, "\n| `"+c.ID+"` | ") {
			t.Errorf("docs/clients.md has no row for %s", c.ID)
		}
		for _, text := range []string{page, readme} {
			if !strings.Contains(text, c.Name) {
				t.Errorf("docs/clients.md or README.md does not name %s", c.Name)
			}
		}
	}
	rows := strings.Count(page, "\n| `")
	if known := len(clients.All()); rows != known {
		t.Errorf("docs/clients.md has %d rows for %d clients", rows, known)
	}
}

// TestAuditMembersAreDocumented: docs/audit.md names each member of a record, and each column
// of the table and of the CSV.
func TestAuditMembersAreDocumented(t *testing.T) {
	page := readText(t, "docs/audit.md")
	var names []string
	for _, record := range []reflect.Type{reflect.TypeFor[audit.Record](), reflect.TypeFor[audit.Argument]()} {
		for i := range record.NumField() {
			name, _, _ := strings.Cut(record.Field(i).Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	for _, name := range append(names, auditcmd.Columns()...) {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/audit.md does not name %s", name)
		}
	}
}

// TestProvidersAreDocumented: docs/configuration.md names each kind of provider.
func TestProvidersAreDocumented(t *testing.T) {
	page := readText(t, "docs/configuration.md")
	line := regexp.MustCompile(`(?m)^provider = .*#.*$`).FindString(page)
	for _, name := range config.KindNames() {
		if !regexp.MustCompile(`[ ,]` + regexp.QuoteMeta(name) + `([ ,;]|$)`).MatchString(strings.SplitN(line, "#", 2)[1]) {
			t.Errorf("docs/configuration.md does not name %s among the values of provider", name)
		}
	}
}

func readText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\r\n", "\n")
}

// document is one Markdown file of the repository.
type document struct {
	path   string
	prose  string  // without the fenced blocks
	blocks []block // the fenced ones
}

type block struct{ language, text string }

var fence = regexp.MustCompile("(?ms)^ *```([a-z]*)\n(.*?)^ *```$")

func documents(t *testing.T) []document {
	t.Helper()
	var all []document
	for _, path := range suite.Files(t, repository, ".md") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d := document{path: path, prose: fence.ReplaceAllString(string(data), "")}
		for _, m := range fence.FindAllStringSubmatch(string(data), -1) {
			d.blocks = append(d.blocks, block{m[1], m[2]})
		}
		all = append(all, d)
	}
	if len(all) == 0 {
		t.Fatal("no document found")
	}
	return all
}

var link = regexp.MustCompile(`\]\(([^()\s]+)\)`)

func TestLinksResolve(t *testing.T) {
	for _, d := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(d.prose, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := d.path
			if target != "" {
				path = filepath.Join(filepath.Dir(d.path), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %s leads nowhere", d.path, m[1])
			} else if anchor != "" && !slices.Contains(anchors(t, path), anchor) {
				t.Errorf("%s: %s: there is no such heading", d.path, m[1])
			}
		}
	}
}

var heading = regexp.MustCompile(`(?m)^#+ (.+)$`)

// anchors are the names that GitHub gives to the headings of a file.
func anchors(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(string(data), ""), -1) {
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1]))
	}
	return names
}

// Every command line of the documentation names a command and flags that exist.
func TestCommandLinesExist(t *testing.T) {
	checked := 0
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if b.language != "sh" && b.language != "console" {
				continue
			}
			for line := range strings.Lines(b.text) {
				for part := range strings.SplitSeq(line, "|") {
					if args, ok := mcpauthArgs(part); ok {
						checked++
						checkCommandLine(t, d.path, args)
					}
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no command line found")
	}
}

// mcpauthArgs are the arguments of a command line that runs mcpauth.
func mcpauthArgs(line string) ([]string, bool) {
	line, _, _ = strings.Cut(line, " #")
	line, _, _ = strings.Cut(line, " >") // a redirection
	words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "$ "))
	for _, program := range [][]string{{"mcpauth"}, {"go", "run", "./cmd/mcpauth"}} {
		if len(words) >= len(program) && slices.Equal(words[:len(program)], program) {
			return words[len(program):], true
		}
	}
	return nil, false
}

func checkCommandLine(t *testing.T, path string, args []string) {
	t.Helper()
	c, rest, err := newRoot(&console.App{}).Find(args)
	if err == nil {
		err = c.ParseFlags(rest)
	}
	if err == nil {
		err = c.ValidateArgs(c.Flags().Args())
	}
	if err != nil {
		t.Errorf("%s: mcpauth %s: %v", path, strings.Join(args, " "), err)
	}
}

// Every configuration in the documentation is one.
func TestConfigurationsLoad(t *testing.T) {
	checked := 0
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if b.language != "toml" {
				continue
			}
			checked++
			_, err := config.Parse(d.path, []byte(b.text))
			if strings.HasSuffix(d.path, "policy.md") && !strings.Contains(b.text, "[profiles.") {
				_, err = config.ParsePolicy(d.path, []byte(b.text))
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
	if checked == 0 {
		t.Error("no configuration found")
	}
}

// Every key of the configuration is explained where users look for it.
func TestConfigurationKeysAreExplained(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(repository, "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []reflect.Type{reflect.TypeFor[config.File](), reflect.TypeFor[config.Profile]()} {
		for field := range table.Fields() {
			key, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
			named := regexp.MustCompile("(?m)^\\[?" + key + "\\b|`\\[?" + key + "\\b")
			if key != "" && !named.Match(page) {
				t.Errorf("docs/configuration.md does not name %s", key)
			}
		}
	}
}

var codeCall = regexp.MustCompile("`[\\w.]*?(\\w+)\\(\\)`")

// Every function that the architecture speaks of exists.
func TestArchitectureNamesFunctions(t *testing.T) {
	declared := map[string]bool{}
	for _, path := range suite.Files(t, repository, ".go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				declared[qualified(parsed, f)] = true
				declared[parsed.Name.Name+"."+qualified(parsed, f)] = true
				declared[f.Name.Name] = true
			}
		}
	}
	named := codeCall.FindAllString(architecture(t), -1)
	for _, name := range named {
		if name = strings.Trim(name, "`()"); !declared[name] {
			t.Errorf("docs/architecture.md: there is no %s()", name)
		}
	}
	if len(named) == 0 {
		t.Error("docs/architecture.md names no function")
	}
}

var (
	testName = regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// Every test that the threat model leans on exists.
func TestThreatModelNamesTests(t *testing.T) {
	model, err := os.ReadFile(filepath.Join(repository, "docs", "threat-model.md"))
	if err != nil {
		t.Fatal(err)
	}
	suites, err := filepath.Glob(filepath.Join(repository, ".ci", "*", "*_test.go"))
	if err != nil || len(suites) == 0 {
		t.Fatal("no suite in .ci", err)
	}
	var declared []string
	for _, path := range append(suites, suite.Files(t, repository, "_test.go")...) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		declared = append(declared, firsts(testFunc, string(data))...)
	}
	named := firsts(testName, string(model))
	for _, name := range named {
		if !slices.Contains(declared, name) {
			t.Errorf("docs/threat-model.md: there is no test %s", name)
		}
	}
	if len(named) == 0 {
		t.Error("docs/threat-model.md names no test")
	}
}

// qualified is Type.Method, or package.Function.
func qualified(file *ast.File, f *ast.FuncDecl) string {
	if f.Recv == nil {
		return file.Name.Name + "." + f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	if name, ok := receiver.(*ast.Ident); ok {
		return name.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

func architecture(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var (
	required = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`) // not "// indirect"
	tableRow = regexp.MustCompile("(?m)^\\| `([^`]+/[^`]+)` \\|")
)

// The architecture has a reason for every direct dependency, and for no other.
func TestEveryDependencyHasAReason(t *testing.T) {
	gomod, err := os.ReadFile(filepath.Join(repository, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(architecture(t), "\n## Dependencies\n")
	section, _, _ = strings.Cut(section, "\n## ")
	want, got := firsts(required, string(gomod)), firsts(tableRow, section)
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("go.mod and docs/architecture.md (-go.mod +docs):\n%s", diff)
	}
}

// firsts are the first groups of all matches, in order.
func firsts(pattern *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return found
}
