package mcpclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/mcpauth/mcpauth/broker/mcpclient"
	"github.com/mcpauth/mcpauth/broker/problem"
)

func TestWithoutAProfile(t *testing.T) {
	w := newWorld(t)
	c := w.open("orders")
	if info := c.Info(); info.Name != "orders" || info.Version != "1.2.3" || info.Instructions != "Be kind." {
		t.Errorf("info: %+v", info)
	}
	if s := c.Principal(); !s.Anonymous || s.Problem != nil {
		t.Errorf("standing: %+v", s)
	}
	tools, err := c.Tools(context.Background())
	if err != nil || len(tools) != 4 || !tools[0].Access.Allowed {
		t.Fatalf("tools: %+v, %v", tools, err)
	}
	result, err := c.Call(context.Background(), "echo", json.RawMessage(`{"text":"<ä>"}`), mcpclient.CallOptions{})
	if err != nil || result.IsError || len(result.Content) != 1 || result.Content[0].Text != "<ä>" {
		t.Errorf("echo: %+v, %v", result, err)
	}
	w.until(func(e mcpclient.Event) bool {
		return e.Kind == mcpclient.EventStderr && e.Message == "echo was called"
	})
	if result, err = c.Call(context.Background(), "whoami", nil, mcpclient.CallOptions{}); err != nil || result.Content[0].Text != "nobody" {
		t.Errorf("whoami: %+v, %v", result, err)
	}
}

func TestSignedOut(t *testing.T) {
	w := newWorld(t)
	w.withProfile("")
	c := w.open("orders")
	var p *problem.Problem
	if _, err := c.Tools(context.Background()); !errors.As(err, &p) || p.Code != problem.ExitSignInNeeded {
		t.Errorf("tools: %v", err)
	}
	if _, err := c.Call(context.Background(), "echo", nil, mcpclient.CallOptions{}); !errors.As(err, &p) || p.Code != problem.ExitSignInNeeded {
		t.Errorf("call: %v", err)
	}
}

func TestAllPages(t *testing.T) {
	c := newWorld(t).open("many")
	tools, err := c.Tools(context.Background())
	if err != nil || len(tools) != 350 {
		t.Fatalf("%d tools, %v", len(tools), err)
	}
}
