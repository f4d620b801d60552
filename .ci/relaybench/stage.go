package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// stage is all that the targets need: programs, a provider, homes.
type stage struct {
	dir      string
	provider *demoidp.Server
	targets  []*target
}

const programs = "./.ci/relaybench/testdata/"

func newStage(ctx context.Context, o options) (_ *stage, err error) {
	s := &stage{}
	if s.dir, err = os.MkdirTemp("", "relaybench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	echo, err := s.build(ctx, root, "echo", "echo")
	if err != nil {
		return nil, err
	}
	pipe, err := s.build(ctx, root, "rawpipe", "rawpipe")
	if err != nil {
		return nil, err
	}
	// Longer than any run: a refresh would change the user that calls carry.
	s.provider, err = demoidp.Start(demoidp.Options{AutoApprove: true, AccessLifetime: 24 * time.Hour})
	if err != nil {
		return nil, err
	}
	s.targets = []*target{{name: "direct"}, {name: "pipe", argv: []string{pipe}}}
	versions := []version{{"mcpauth-proxy", root, "signedinproxy", nil}, {"mcpauth", root, "signedin", []string{"proxy"}}}
	for _, other := range o.with {
		versions = append(versions, version{other.name, other.dir, "signedin", []string{"proxy"}})
	}
	for _, version := range versions {
		t, err := s.addProxy(ctx, version, o.profile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", version.name, err)
		}
		s.targets = append(s.targets, t)
	}
	for _, t := range s.targets {
		if err := t.putBefore(echo, filepath.Join(s.dir, "answers-"+t.name)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// putBefore makes the server the one that the target leads to.
func (t *target) putBefore(echo, answers string) error {
	t.echo, t.argv = echo, append(t.argv, echo, answers)
	return os.WriteFile(answers, fmt.Appendf(nil, "%s\n%s\n", t.user, toolList(true)), 0o600)
}

func (s *stage) close() {
	if s.provider != nil {
		_ = s.provider.Close()
	}
	_ = os.RemoveAll(s.dir)
}

func moduleRoot(ctx context.Context) (string, error) {
	path, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(path))), nil
}

// build makes one of the programs of a checkout. They are programs of their
// own, so that each starts only what it needs.
func (s *stage) build(ctx context.Context, checkout, program, name string, flags ...string) (string, error) {
	output := filepath.Join(s.dir, name)
	if runtime.GOOS == "windows" {
		output += ".exe"
	}
	command := exec.CommandContext(ctx, "go", append(append([]string{"build", "-trimpath", "-ldflags=-s -w"}, flags...), "-o", output, programs+program)...)
	command.Dir = checkout
	command.Env = append(os.Environ(), "CGO_ENABLED=0") // as releases are
	if text, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", program, err, text)
	}
	return output, nil
}

// version is one program to measure.
type version struct {
	name, dir string
	program   string   // its folder under programs
	args      []string // that make it a proxy
}

// addProxy builds a version and signs in with the mcpauth of the same checkout, in
// a home of its own.
func (s *stage) addProxy(ctx context.Context, version version, profiles string) (*target, error) {
	var flags []string
	if profiles != "" {
		flags = []string{"-tags", "relaybench_profile"}
	}
	program, err := s.build(ctx, version.dir, version.program, "proxy-"+version.name, flags...)
	if err != nil {
		return nil, err
	}
	login := program
	if version.program != "signedin" {
		if login, err = s.build(ctx, version.dir, "signedin", "login-"+version.name); err != nil {
			return nil, err
		}
	}
	home := filepath.Join(s.dir, "home-"+version.name)
	keys := filepath.Join(home, "keychain")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return nil, err
	}
	t := &target{
		name: version.name, home: home, proxy: true,
		argv: append(append([]string{program}, version.args...), "--"),
		env: []string{
			"HOME=" + home, "USERPROFILE=" + home, "PATH=" + os.Getenv("PATH"), "SystemRoot=" + os.Getenv("SystemRoot"),
			"RELAYBENCH_KEYCHAIN=" + keys, "RELAYBENCH_PROFILE=" + profiles,
		},
	}
	if t.user, err = s.signIn(ctx, login, t.env); err != nil {
		return nil, fmt.Errorf("sign-in: %w", err)
	}
	return t, nil
}

// signIn runs `mcpauth login` and is its browser. It returns the user as calls
// must carry it.
func (s *stage) signIn(ctx context.Context, program string, env []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var facts bytes.Buffer
	login := exec.CommandContext(ctx, program, "login", "--json", "--no-browser",
		"--issuer", s.provider.Issuer(), "--client-id", demoidp.DefaultClientID)
	login.Env, login.Stdout = env, &facts
	talk, err := login.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := login.Start(); err != nil {
		return nil, err
	}
	said, visitErr := visitLinks(ctx, talk)
	if err := login.Wait(); err != nil || visitErr != nil {
		return nil, fmt.Errorf("mcpauth login: %v, %v\n%s%s", err, visitErr, said, facts.String())
	}
	var result struct {
		User json.RawMessage `json:"user"`
	}
	for events := json.NewDecoder(&facts); events.More(); { // the outcome is the last
		if err := events.Decode(&result); err != nil {
			return nil, err
		}
	}
	var user bytes.Buffer
	err = json.Compact(&user, result.User)
	return user.Bytes(), err
}

// visitLinks opens each link that stands alone on a line, and follows its redirects.
func visitLinks(ctx context.Context, talk io.Reader) (said string, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	lines := bufio.NewScanner(talk)
	for lines.Scan() {
		said += lines.Text() + "\n"
		link := strings.TrimSpace(lines.Text())
		if !strings.HasPrefix(link, "http") {
			continue
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
		if err != nil {
			return said, err
		}
		page, err := (&http.Client{Jar: jar}).Do(request)
		if err != nil {
			return said, err
		}
		_, _ = io.Copy(io.Discard, page.Body)
		_ = page.Body.Close()
	}
	return said, lines.Err()
}
