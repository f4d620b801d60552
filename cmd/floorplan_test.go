package cmd

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/mcpauth/mcpauth"

// floorPlan says which packages of the module a package may import. A package
// that is not in it may not exist: add one only when it has a privilege that
// its siblings must not have (design, section 1).
var floorPlan = map[string][]string{
	"cmd/mcpauth":              {"cmd", "cmd/console", "keychain"},
	"cmd/mcpauth-proxy":        {"cmd/console", "cmd/proxycmd", "keychain"},
	"cmd":                      {"broker", "broker/config", "broker/demoidp", "broker/doctor", "broker/mcpclient", "broker/problem", "broker/text", "cmd/accountcmd", "cmd/auditcmd", "cmd/clientcmd", "cmd/console", "cmd/demo", "cmd/explorecmd", "cmd/manpages", "cmd/policycmd", "cmd/proxycmd", "keychain", "tui"},
	"cmd/accountcmd":           {"broker", "broker/config", "broker/problem", "broker/text", "cmd/console", "keychain"},
	"cmd/auditcmd":             {"broker/audit", "broker/problem", "broker/text", "cmd/console"},
	"cmd/clientcmd":            {"broker", "broker/backend", "broker/clients", "broker/config", "broker/problem", "broker/text", "cmd/accountcmd", "cmd/console", "cmd/table", "keychain", "tui"},
	"cmd/explorecmd":           {"broker", "broker/config", "broker/gate", "broker/mcpclient", "broker/problem", "broker/text", "broker/toolargs", "cmd/console", "cmd/table"},
	"cmd/policycmd":            {"broker", "broker/config", "broker/problem", "broker/text", "cmd/console"},
	"cmd/proxycmd":             {"broker", "broker/config", "broker/text", "cmd/console"},
	"cmd/table":                {"broker/text", "cmd/console"},
	"cmd/console":              {"broker", "broker/config", "broker/doctor", "broker/mcpclient", "broker/problem", "broker/text", "keychain"},
	"cmd/demo":                 {"broker", "broker/problem"},
	"cmd/manpages":             {},
	"broker/mcpclient":         {"broker/policy", "broker/problem", "broker/text"},
	"broker":                   {"broker/doctor", "broker/identity/address", "broker/mcpclient", "broker/edit", "broker/problem", "broker/text", "broker/audit", "broker/backend", "broker/clients", "broker/config", "broker/gate", "broker/identity", "broker/policy", "broker/relay", "keychain", "keychain/sharedfile"},
	"broker/doctor":            {"broker/audit", "broker/backend", "broker/clients", "broker/config", "broker/gate", "broker/identity", "broker/mcpclient", "broker/problem", "broker/relay", "broker/text", "keychain"},
	"broker/config":            {"broker/audit", "broker/edit", "broker/identity", "broker/identity/address", "broker/policy", "broker/problem", "broker/text", "keychain", "keychain/sharedfile"},
	"broker/problem":           {},
	"broker/text":              {},
	"broker/identity":          {"broker/identity/address", "broker/identity/loopback", "broker/problem", "broker/text", "keychain", "keychain/sharedfile"},
	"broker/identity/address":  {},
	"broker/identity/loopback": {"broker/identity/address"},
	"broker/gate":              {"broker/audit", "broker/identity", "broker/policy", "broker/problem", "broker/relay", "broker/text", "keychain", "keychain/sharedfile"},
	"broker/audit":             {"keychain/sharedfile"},
	"broker/backend":           {"broker/text"},
	"broker/clients":           {"broker/backend", "broker/edit", "broker/problem", "broker/text", "keychain/sharedfile"},
	"broker/edit":              {},
	"broker/demoidp":           {},
	"broker/policy":            {"broker/edit", "broker/text"},
	"broker/relay":             {},
	"broker/toolargs":          {"broker/text"},
	"keychain":                 {"keychain/sharedfile"},
	"keychain/sharedfile":      {},
	"tui":                      {"broker", "broker/audit", "broker/clients", "broker/config", "broker/doctor", "broker/mcpclient", "broker/problem", "broker/text", "tui/account", "tui/activity", "tui/browse", "tui/screen", "tui/tools", "tui/widget"},
	"tui/account":              {"broker", "broker/clients", "broker/config", "broker/doctor", "broker/problem", "broker/text", "tui/screen", "tui/widget"},
	"tui/activity":             {"broker/audit", "broker/text", "tui/screen", "tui/widget"},
	"tui/browse":               {"broker/mcpclient", "broker/problem", "broker/text", "broker/toolargs", "tui/form", "tui/screen", "tui/widget"},
	"tui/tools":                {"broker", "broker/audit", "broker/config", "broker/mcpclient", "broker/problem", "broker/text", "broker/toolargs", "tui/form", "tui/screen", "tui/widget"},
	"tui/screen":               {"broker", "broker/config", "broker/mcpclient", "broker/problem", "broker/text", "tui/widget"},
	"tui/form":                 {"broker/text", "broker/toolargs", "tui/widget"},
	"tui/widget":               {"broker/mcpclient", "broker/problem", "broker/text", "broker/toolargs"},
}

// onlyIn says which package alone may import a library. A name that ends in a
// slash stands for all below it.
var onlyIn = map[string][]string{
	"github.com/spf13/cobra":             {"cmd", "cmd/accountcmd", "cmd/auditcmd", "cmd/clientcmd", "cmd/console", "cmd/explorecmd", "cmd/manpages", "cmd/policycmd", "cmd/proxycmd"},
	"github.com/zalando/go-keyring":      {"keychain"},
	"github.com/godbus/":                 {"keychain"},
	"github.com/fsnotify/fsnotify":       {"keychain/sharedfile"},
	"github.com/int128/oauth2cli":        {"broker/identity/loopback"},
	"golang.org/x/oauth2":                {"broker/identity", "broker/identity/loopback"},
	"github.com/coreos/go-oidc/":         {"broker/identity"},
	"github.com/go-jose/go-jose/":        {"broker/identity"},
	"github.com/go-json-experiment/json": {"broker/relay", "broker/identity", "broker/toolargs"},
	"github.com/mark3labs/mcp-go/":       {"cmd/demo"},
	"github.com/rogpeppe/go-internal/":   {"broker/clients", "broker/gate"},
	"github.com/itchyny/gojq":            {"cmd"},
	"github.com/tailscale/hujson":        {"broker/edit"},
	"github.com/goccy/go-yaml":           {"broker/edit"},
	"charm.land/":                        {"tui", "tui/account", "tui/activity", "tui/browse", "tui/form", "tui/screen", "tui/tools", "tui/widget"},
	"os/exec":                            {"broker/backend", "cmd", "cmd/console", "keychain"},
	"net/http":                           {"broker/identity", "broker/identity/address", "broker/identity/loopback", "broker/demoidp", "cmd"},
}

// AI clients start mcpauth-proxy for each server, so nothing may be linked into it
// that is slow to start or large (decision 11).
func TestProxyProgramIsLean(t *testing.T) {
	output, err := exec.Command("go", "list", "-deps", module+"/cmd/mcpauth-proxy").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if !strings.Contains(string(output), module+"/broker\n") {
		t.Fatal("it does not hold the broker")
	}
	for _, dependency := range strings.Fields(string(output)) {
		for _, heavy := range []string{
			"github.com/mark3labs/", "github.com/santhosh-tekuri/", "github.com/modelcontextprotocol/", "github.com/google/jsonschema-go/",
			"charm.land/", "github.com/charmbracelet/", "github.com/prometheus/", "github.com/itchyny/", "github.com/yuin/", "github.com/alecthomas/",
			module + "/tui/", module + "/cmd/demo/",
		} {
			if strings.HasPrefix(dependency+"/", heavy) {
				t.Errorf("it links %s", dependency)
			}
		}
	}
}

// Patterns that a package compiles when it is initialized cost each start of each
// program: 0.05 to 0.4 ms. sync.OnceValue compiles them when they are needed.
func TestNoPatternsAtStart(t *testing.T) {
	output, err := exec.Command("go", "list", "-deps", module+"/cmd/mcpauth-proxy").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, p := range packages(t) {
		if !slices.Contains(strings.Fields(string(output)), p.ImportPath) {
			continue
		}
		for _, file := range p.GoFiles {
			checkInitialization(t, filepath.Join(p.Dir, file))
		}
	}
}

func checkInitialization(t *testing.T, path string) {
	t.Helper()
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, declaration := range parsed.Decls {
		variables, ok := declaration.(*ast.GenDecl)
		if !ok || variables.Tok != token.VAR {
			continue
		}
		ast.Inspect(variables, func(node ast.Node) bool {
			if _, later := node.(*ast.FuncLit); later {
				return false
			}
			if selector, ok := node.(*ast.SelectorExpr); ok && selector.Sel.Name == "MustCompile" {
				t.Errorf("%s: the pattern is compiled at each start: use sync.OnceValue", files.Position(selector.Pos()))
			}
			return true
		})
	}
}

type goPackage struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", module+"/...")
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	for {
		var p goPackage
		if err := decoder.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module+"/examples/") {
			continue // programs of their own, for readers
		}
		all = append(all, p)
	}
}

func TestFloorPlan(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		allowed, known := floorPlan[name]
		if !known {
			t.Errorf("package %s is not in the floor plan", name)
			continue
		}
		for _, imported := range p.Imports {
			if inside, ok := strings.CutPrefix(imported, module+"/"); ok && !slices.Contains(allowed, inside) {
				t.Errorf("%s may not import %s", name, inside)
			}
			for library, where := range onlyIn {
				if covers(library, imported) && !slices.Contains(where, name) {
					t.Errorf("%s may not import %s: only %v may", name, imported, where)
				}
			}
		}
	}
}

func covers(library, imported string) bool {
	return imported == library || strings.HasPrefix(imported, strings.TrimSuffix(library, "/")+"/")
}

// The bytes that parse hostile input, the rules and the child process never
// come near a token, directly or through others.
func TestNoTokenNearHostileBytes(t *testing.T) {
	output, err := exec.Command("go", "list", "-deps",
		module+"/broker/relay", module+"/broker/policy", module+"/broker/audit", module+"/broker/backend", module+"/broker/clients").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, dependency := range strings.Fields(string(output)) {
		if dependency == module+"/keychain" || dependency == module+"/broker/identity" || dependency == "net/http" {
			t.Errorf("%s is a dependency of relay, policy, audit, backend or clients", dependency)
		}
	}
}

// forbidden names by what may not be used where: standard output is the
// protocol, and a secret is read where it is sent or stored and nowhere else.
var forbidden = []struct {
	selectors []string
	allowed   []string // packages, or files
	why       string
}{
	{[]string{"os.Stdout", "os.Stdin", "os.Stderr", "os.Exit", "fmt.Print", "fmt.Printf", "fmt.Println"},
		[]string{"cmd", "cmd/console", "cmd/mcpauth", "cmd/mcpauth-proxy"}, "only cmd prints, exits or knows a terminal"},
	{[]string{".Reveal"}, []string{"keychain", "broker/identity", "cmd/accountcmd/token.go"},
		"only identity and keychain see a secret, and the command that prints one"},
}

func TestForbiddenNames(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, file := range p.GoFiles {
			checkNames(t, name, filepath.Join(p.Dir, file))
		}
	}
}

func checkNames(t *testing.T, name, path string) {
	t.Helper()
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		used := "." + selector.Sel.Name
		if of, ok := selector.X.(*ast.Ident); ok {
			used = of.Name + used
		}
		for _, rule := range forbidden {
			for _, banned := range rule.selectors {
				hit := used == banned || strings.HasPrefix(banned, ".") && strings.HasSuffix(used, banned)
				file := name + "/" + filepath.Base(path)
				if hit && !slices.Contains(rule.allowed, name) && !slices.Contains(rule.allowed, file) {
					t.Errorf("%s: %s: %s", files.Position(selector.Pos()), used, rule.why)
				}
			}
		}
		return true
	})
}

// judging are the files that decide by what a message says. encoding/json folds the
// case of names and takes the last of two, so what it reads may be another message
// than the one that arrives: relay.DecodeStrict reads there.
var judging = []string{
	"broker/relay/*.go",
	"broker/gate/*.go",
}

func TestMessagesAreJudgedByTheStrictDecoder(t *testing.T) {
	for _, pattern := range judging {
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			t.Errorf("%s names no file (%v)", pattern, err)
		}
		for _, path := range files {
			if !strings.HasSuffix(path, "_test.go") {
				checkDecoders(t, path)
			}
		}
	}
}

func checkDecoders(t *testing.T, path string) {
	t.Helper()
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	loose := slices.ContainsFunc(parsed.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"encoding/json"` })
	ast.Inspect(parsed, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok || !loose {
			return loose
		}
		of, ok := selector.X.(*ast.Ident)
		if reads := []string{"Unmarshal", "NewDecoder", "Decoder", "Valid"}; ok && of.Name == "json" && slices.Contains(reads, selector.Sel.Name) {
			t.Errorf("%s: json.%s reads a message loosely: use relay.DecodeStrict", files.Position(selector.Pos()), selector.Sel.Name)
		}
		return true
	})
}
