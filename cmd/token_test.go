package cmd

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// givesToken is "gives-token FORM program [args...]": runs a program whose
// standard output has to match FORM, a regular expression in which TOKEN stands
// for an access token, and asks the provider whether that is one. It stands in
// for exec, which would write the token into the log of the tests. What the
// program says on standard error is in the file "said" then.
func givesToken(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: gives-token FORM program [args...]")
	}
	var stdout, stderr bytes.Buffer
	command := exec.Command(args[1], args[2:]...)
	command.Dir, command.Stdout, command.Stderr = ts.MkAbs("."), &stdout, &stderr
	command.Env = []string{"PATH=" + os.Getenv("PATH")}
	for _, name := range []string{"HOME", "USERPROFILE", "TEST_KEYCHAIN"} {
		command.Env = append(command.Env, name+"="+ts.Getenv(name))
	}
	if err := command.Run(); err != nil {
		ts.Fatalf("%v: %v\n%s", args[1:], err, &stderr)
	}
	ts.Check(os.WriteFile(ts.MkAbs("said"), stderr.Bytes(), 0o600))
	form := regexp.MustCompile("^" + strings.ReplaceAll(args[0], "TOKEN", "([A-Za-z0-9_.-]{40,})") + "$")
	match := form.FindSubmatch(stdout.Bytes())
	if match == nil {
		ts.Fatalf("%v printed %d bytes that are not of the form %s", args[1:], stdout.Len(), args[0])
	}
	if status := userinfoStatus(ts, string(match[1])); status != http.StatusOK {
		ts.Fatalf("the provider answers %d to what %v printed", status, args[1:])
	}
}

func userinfoStatus(ts *testscript.TestScript, token string) int {
	request, err := http.NewRequest(http.MethodGet, ts.Getenv("ISSUER")+"/userinfo", nil)
	ts.Check(err)
	request.Header.Set("Authorization", "Bearer "+token)
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Do(request)
	ts.Check(err)
	ts.Check(response.Body.Close())
	return response.StatusCode
}
