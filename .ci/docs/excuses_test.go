package docs

// signedIn sets a machine up for documents that suppose a sign-in.
const signedIn = `
mcpauth login --issuer https://login.example.com --client-id mcpauth-desktop
mcpauth profile list
`

// withRules is that with the policy of docs/policy.md, its first one with tests.
const withRules = signedIn + `
awk '/^~~~toml/ { n++; inside = n == 3; next } /^~~~/ { inside = 0 } inside' <(tr '\140' '~' <docs/policy.md) >orders.toml
grep -q tests orders.toml
chmod 600 orders.toml
sed -i "/^client_id/a policy = '$PWD/orders.toml'" ~/.config/mcpauth/config.toml
echo '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_order"}}' | mcpauth proxy -- python3 main.py
`

// clientWithServer is a machine with an AI client that has a server already.
const clientWithServer = `
mkdir ~/.cursor
echo '{"mcpServers": {"files": {"command": "python3", "args": ["main.py"]}}}' >~/.cursor/mcp.json
`

// setUps are what documents suppose of their reader's machine.
var setUps = map[string]string{
	"docs/audit.md":                 signedIn + "mcpauth proxy -- python3 main.py </dev/null",
	"README.md":                     clientWithServer,
	"docs/explore.md":               signedIn,
	"docs/sign-in.md":               signedIn,
	"docs/troubleshooting.md":       signedIn,
	"docs/policy.md":                withRules,
	"examples/fastmcp/README.md":    signedIn,
	"examples/go/README.md":         signedIn,
	"examples/python/README.md":     signedIn,
	"examples/typescript/README.md": signedIn,
}

// folders are where the commands of a document are typed, below the repository.
var folders = map[string]string{
	"examples/python/README.md":     "examples/python",
	"examples/typescript/README.md": "examples/typescript",
}

// exits has the commands that end with another code than 0, as they should.
var exits = map[string]int{
	"mcpauth why pay_invoice":                        5,
	"mcpauth why --kind resource orders://private/1": 5,
}

// elsewhere has the commands that are not run here, and why.
var elsewhere = map[string]string{
	"go run ./cmd/mcpauth demo": "the step readme of .ci/run",
	"go test ./...":             "the step readme of .ci/run",
	"gofmt -l .":                "the step format of .ci/run",
	"go vet ./...":              "the step vet of .ci/run",
	"go test -race ./...":       "the step race of .ci/run",
	"go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...":                           "the step lint of .ci/run",
	".ci/keyring env MCPAUTH_REAL_KEYCHAIN=1 go test -run TestRealKeychain ./keychain": "the step keychain of .ci/run",
	"go run ./.ci/relaybench":                                          "takes minutes; the tests of .ci/relaybench run it in small",
	"go install github.com/mcpauth/mcpauth/cmd/mcpauth@latest":         "needs the published module",
	"go install github.com/mcpauth/mcpauth/cmd/mcpauth-proxy@latest":   "needs the published module",
	"mcpauth audit tail -f":                                            "does not end; cmd/testdata/script/audit_follow.txtar",
	"mcpauth audit show 01M83Q2K1F0DV2SPYD46TK0":                       "the ID is made up; cmd/testdata/script/audit.txtar",
	`mcpauth completion zsh >"${fpath[1]}/_mcpauth"`:                   "is for zsh; the script complete.txtar",
	"mcpauth completion fish >~/.config/fish/completions/mcpauth.fish": "is for fish; the script complete.txtar",
	"mcpauth completion powershell >>$PROFILE":                         "is for PowerShell; the script complete.txtar",
	"pip install 'fastmcp>=2.13.1'":                                    "needs PyPI, which cannot be reached from here",
	"mcpauth proxy -- python3 server.py":                               "needs FastMCP",
}
