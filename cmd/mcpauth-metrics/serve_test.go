package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker"
)

const call = `{"seq":%d,"prev":"","time":"2026-11-23T08:00:00.000Z","id":"c%d","event":"call","pid":1,"method":%q,"name":%q,"decision":%q,"hash":""}
`

const result = `{"seq":%d,"prev":"","time":"2026-11-23T08:00:00.000Z","id":"r%d","event":"result","call":"c%d","pid":1,"status":%q,"micros":%d,"hash":""}
`

// served is the address of a server over one audit file.
func served(t *testing.T) (address, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "audit-2026-11-23.jsonl")
	write(t, file, fmt.Sprintf(call, 1, 1, "tools/call", "list", "allow")+fmt.Sprintf(result, 2, 1, 1, "ok", 20_000)+
		fmt.Sprintf(call, 3, 2, "tools/call", "list", "deny")+"broken\n"+
		fmt.Sprintf(call, 4, 3, "resources/read", "file:///a", "allow")+fmt.Sprintf(call, 5, 4, "resources/read", "file:///b", "allow"))
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, listener, broker.AuditFolder(dir)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String(), file
}

func write(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, method, address, path, host string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequest(method, "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

func TestMetricsFollowTheFiles(t *testing.T) {
	address, file := served(t)
	want := []string{
		`mcpauth_calls_total{method="tools/call",name="list"} 2.0`,
		`mcpauth_calls_denied_total{method="tools/call",name="list"} 1.0`,
		`mcpauth_calls_total{method="resources/read",name=""} 2.0`,
		`mcpauth_call_duration_seconds_bucket{method="tools/call",name="list",le="0.005"} 0`,
		`mcpauth_call_duration_seconds_bucket{method="tools/call",name="list",le="0.025"} 1`,
		`mcpauth_call_duration_seconds_count{method="tools/call",name="list"} 1`,
		`mcpauth_audit_broken_lines_total 1.0`,
		`# EOF`,
	}
	for range 2 {
		status, body := ask(t, http.MethodGet, address, "/metrics", address)
		for _, line := range want {
			if status != http.StatusOK || !strings.Contains(body, line+"\n") {
				t.Fatalf("%d, want %s:\n%s", status, line, body)
			}
		}
		if strings.Contains(body, "file:///") {
			t.Errorf("a resource became a label:\n%s", body)
		}
		write(t, file, fmt.Sprintf(result, 6, 3, 3, "error", 7)+fmt.Sprintf(result, 7, 4, 4, "unanswered", 7))
		want = append(want, `mcpauth_calls_failed_total{method="resources/read",name=""} 1.0`,
			`mcpauth_calls_unanswered_total{method="resources/read",name=""} 1.0`)
	}
}

func TestOnlyMetricsAndOnlyByItsAddress(t *testing.T) {
	address, _ := served(t)
	_, port, _ := net.SplitHostPort(address)
	for name, test := range map[string]struct {
		method, path, host string
		status             int
	}{
		"DNS rebinding":   {http.MethodGet, "/metrics", "evil.example:" + port, http.StatusMisdirectedRequest},
		"localhost":       {http.MethodGet, "/metrics", "localhost:" + port, http.StatusMisdirectedRequest},
		"without port":    {http.MethodGet, "/metrics", "127.0.0.1", http.StatusMisdirectedRequest},
		"another path":    {http.MethodGet, "/", address, http.StatusNotFound},
		"below it":        {http.MethodGet, "/metrics/", address, http.StatusNotFound},
		"debug":           {http.MethodGet, "/debug/pprof/", address, http.StatusNotFound},
		"POST":            {http.MethodPost, "/metrics", address, http.StatusMethodNotAllowed},
		"and as it ought": {http.MethodGet, "/metrics", address, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			if status, body := ask(t, test.method, address, test.path, test.host); status != test.status {
				t.Errorf("%d, want %d: %s", status, test.status, body)
			}
		})
	}
}

func TestOnlyLoopbackIsServed(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "localhost:0", "[::]:0", "192.0.2.1:0", "example.com:0", "127.0.0.1"} {
		if l, err := listen(address); err == nil {
			l.Close()
			t.Errorf("%s is served", address)
		}
	}
}
