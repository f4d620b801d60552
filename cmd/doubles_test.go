package cmd

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcpauth/mcpauth/broker"
	"github.com/mcpauth/mcpauth/broker/demoidp"
	"github.com/mcpauth/mcpauth/keychain"
)

// testClientSecret is the client_secret of the provider's client "confidential".
const testClientSecret = "CANARY-client-secret"

// testKeychain is a keychain that several processes share: files in a folder of
// the script. $TEST_KEYCHAIN_FAULT names a way in which it fails.
func testKeychain() keychain.Store {
	return fileKeychain{dir: os.Getenv("TEST_KEYCHAIN"), fault: os.Getenv("TEST_KEYCHAIN_FAULT")}
}

type fileKeychain struct{ dir, fault string }

var keychainFaults = map[string]keychain.Kind{
	"unavailable": keychain.Unavailable, "locked": keychain.Locked, "timeout": keychain.Timeout,
}

func (k fileKeychain) fail(op string) error {
	kind, faulty := keychainFaults[k.fault]
	if !faulty && !(k.fault == "readonly" && op == "set") {
		return nil
	}
	if !faulty {
		kind = keychain.NotKept
	}
	return &keychain.Error{Op: op, Kind: kind, Err: errors.New("test fault " + k.fault)}
}

func (k fileKeychain) path(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(k.dir, hex.EncodeToString(sum[:8]))
}

func (k fileKeychain) Get(_ context.Context, key string) (keychain.Secret, error) {
	if err := k.fail("get"); err != nil {
		return keychain.Secret{}, err
	}
	data, err := os.ReadFile(k.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return keychain.Secret{}, keychain.ErrNotFound
	}
	return keychain.NewSecret(string(data)), err
}

func (k fileKeychain) Set(_ context.Context, key string, secret keychain.Secret) error {
	if err := k.fail("set"); err != nil {
		return err
	}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return err
	}
	temporary := k.path(key) + ".new"
	if err := os.WriteFile(temporary, []byte(secret.Reveal()), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, k.path(key))
}

func (k fileKeychain) Delete(_ context.Context, key string) error {
	if err := k.fail("delete"); err != nil {
		return err
	}
	err := os.Remove(k.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (fileKeychain) Name() string { return "the test keychain" }

// runBrowser is a browser without a window that shows its page on standard
// output: "testbrowser URL". With $TEST_BROWSER=idle it does nothing.
func runBrowser() {
	if os.Getenv("TEST_BROWSER") == "idle" {
		return
	}
	jar, err := cookiejar.New(nil)
	check(err)
	client := http.Client{Jar: jar, Timeout: 20 * time.Second}
	response, err := client.Get(os.Args[len(os.Args)-1])
	check(err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	check(err)
	check(os.WriteFile("page.html", page, 0o600))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runServer is an MCP server that answers each call with the request that it
// received. Its first argument is a way to misbehave.
func runServer() {
	mode := ""
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	switch mode {
	case "die":
		fmt.Fprintln(os.Stderr, "ModuleNotFoundError: No module named 'mcp'")
		os.Exit(3)
	case "noise":
		fmt.Println("Server running on stdio")
	}
	if mode == "stay" {
		signal.Ignore(syscall.SIGTERM)
		defer func() { select {} }()
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		serve(mode, lines.Bytes())
	}
}

func serve(mode string, line []byte) {
	var request struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params json.RawMessage `json:"params"`
	}
	if err := json.Unmarshal(line, &request); err != nil || request.ID == nil {
		return
	}
	if mode == "die-on-call" && request.Method == "tools/call" {
		os.Exit(7)
	}
	if mode == "die-once" && request.Method == "tools/call" && countedFirst(os.Args[2]) {
		os.Exit(7)
	}
	if mode == "never" && request.Method == "tools/call" {
		return
	}
	if mode == "modern" || mode == "sulks" {
		if answer := modernAnswer(mode, request.Method, request.Params); answer != "" {
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,%s}`+"\n", request.ID, answer)
			return
		}
	}
	result := any(map[string]any{"received": json.RawMessage(line)})
	switch request.Method {
	case "subscriptions/listen":
		return // answered when the stream ends, which is never
	case "initialize":
		result = json.RawMessage(`{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"testserver","version":"1"}}`)
	case "tools/list":
		result = json.RawMessage(`{"tools":[{"name":"plain","inputSchema":{"type":"object"}},{"name":"declares","inputSchema":{"type":"object","properties":{"_oauth_user":{"type":"object"}}}}]}`)
	}
	answer, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": request.ID, "result": result})
	check(err)
	fmt.Println(string(answer))
}

// modernAnswer is what a server says that knows MCP 2026-07-28 alone, or one that
// sulks whatever it is asked; empty for what it has in common with others.
func modernAnswer(mode, method string, params json.RawMessage) string {
	switch {
	case mode == "sulks":
		return `"error":{"code":-32000,"message":"not today"}`
	case method == "initialize":
		return `"error":{"code":-32601,"message":"initialize is not known"}`
	case !strings.Contains(string(params), `"io.modelcontextprotocol/protocolVersion":"2026-07-28"`):
		return `"error":{"code":-32602,"message":"the request does not say its protocol"}`
	case method == "server/discover":
		return `"result":{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"newserver","version":"3"}}}`
	}
	return ""
}

// countedFirst adds a line to a file and reports whether it is the first one.
func countedFirst(path string) bool {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	check(err)
	defer f.Close()
	before, err := f.Stat()
	check(err)
	_, err = fmt.Fprintln(f, "called")
	check(err)
	return before.Size() == 0
}

// portCommand is "port free" or "port taken": sets PORT to a port of that kind.
func portCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port free|taken")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	if args[0] == "taken" {
		ts.Defer(func() { _ = listener.Close() })
	} else {
		ts.Check(listener.Close())
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	ts.Check(err)
	ts.Setenv("PORT", port)
}

// faults are what the provider of a script does wrong, by endpoint.
var faults = map[string]struct {
	endpoint string
	fault    demoidp.Fault
}{
	"foreign-issuer": {"discovery", demoidp.Fault{Edit: func(m map[string]any) { m["issuer"] = "https://elsewhere.example" }}},
	"many-tenants": {"discovery", demoidp.Fault{Edit: func(m map[string]any) {
		m["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0"
	}}},
	"lists-groups": {"discovery", demoidp.Fault{Edit: func(m map[string]any) {
		m["scopes_supported"] = append(m["scopes_supported"].([]string), "groups")
	}}},
	"overage": {"id_token", demoidp.Fault{Edit: func(m map[string]any) {
		delete(m, "groups")
		m["_claim_names"] = map[string]any{"groups": "src1"}
		m["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": "https://graph.windows.net/x"}}
	}}},
	"no-groups":     {"userinfo", demoidp.Fault{Edit: func(m map[string]any) { delete(m, "groups") }}},
	"foreign-token": {"id_token", demoidp.Fault{Edit: func(m map[string]any) { m["aud"] = "somebody-else" }}},
	"expired-token": {"id_token", demoidp.Fault{Edit: func(m map[string]any) {
		m["exp"] = time.Now().Add(-time.Hour).Unix()
	}}},
	"foreign-userinfo": {"userinfo", demoidp.Fault{Edit: func(m map[string]any) { m["sub"] = "mallory" }}},
	"deny": {"authorize", demoidp.Fault{Edit: func(m map[string]any) {
		delete(m, "code")
		m["error"], m["error_description"] = "access_denied", "the user said no"
	}}},
	"no-auth-time": {"id_token", demoidp.Fault{Edit: func(m map[string]any) { delete(m, "auth_time") }}},
	"html":         {"discovery", demoidp.Fault{Status: 200, Body: "<html>Welcome to the hotel Wi-Fi</html>"}},
	"late":         {"discovery", demoidp.Fault{Status: 503, Header: http.Header{"Date": {time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)}}}},
	"down":         {"discovery", demoidp.Fault{Status: 503, Body: "gone"}},
	"revoke-lies":  {"revocation", demoidp.Fault{Status: 200}},
	"revoke-down":  {"revocation", demoidp.Fault{Status: 503, Body: "gone"}},
}

func isFault(name string) bool {
	_, ok := faults[name]
	return ok || strings.Contains(name, "={")
}

// faultsNamed makes the provider do wrong what the names say. ENDPOINT={…} sets
// members of what the endpoint answers; null takes one away.
func faultsNamed(names []string) func(string) demoidp.Fault {
	return func(endpoint string) demoidp.Fault {
		for _, name := range names {
			if members, ok := strings.CutPrefix(name, endpoint+"="); ok {
				return demoidp.Fault{Edit: func(m map[string]any) {
					check(json.Unmarshal([]byte(members), &m))
					maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
				}}
			}
		}
		for name, f := range faults {
			if f.endpoint == endpoint && slices.Contains(names, name) {
				return f.fault
			}
		}
		return demoidp.Fault{}
	}
}

// testAsker is a person who gives the answers of $TEST_ANSWERS, separated by |, and
// the next one where one is not taken; ^C stops. Without answers nobody is there.
func testAsker(_ io.Reader, out io.Writer) broker.Ask {
	if os.Getenv("TEST_ANSWERS") == "" {
		return nil
	}
	answers := strings.Split(os.Getenv("TEST_ANSWERS"), "|")
	return func(_ context.Context, q broker.Query) ([]string, error) {
		fmt.Fprintf(out, "? %s\n", q.Title)
		for _, o := range q.Options {
			if o.On {
				fmt.Fprintf(out, "  [x] %s\n", o.Label)
			}
		}
		if q.Several { // about what is installed on this machine, which no script knows
			return nil, nil
		}
		for len(answers) > 0 {
			answer := answers[0]
			answers = answers[1:]
			if answer == "^C" {
				return nil, context.Canceled
			}
			if q.Check == nil {
				return []string{answer}, nil
			}
			err := q.Check(answer)
			if err == nil {
				return []string{answer}, nil
			}
			fmt.Fprintf(out, "! %v\n", err)
		}
		return nil, errors.New("no answer is left for " + q.Title)
	}
}
