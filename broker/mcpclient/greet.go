package mcpclient

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mcpauth/mcpauth/broker/text"
)

// The protocols that are spoken: the modern one, which has no handshake, and those
// before it, the newest first.
const modernVersion = "2026-07-28"

var olderVersions = []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// Names of the protocol.
const (
	methodElicit = "elicitation/create"
	methodListen = "subscriptions/listen"

	metaVersion      = "io.modelcontextprotocol/protocolVersion"
	metaClientInfo   = "io.modelcontextprotocol/clientInfo"
	metaCapabilities = "io.modelcontextprotocol/clientCapabilities"
	metaLogLevel     = "io.modelcontextprotocol/logLevel"
	metaServerInfo   = "io.modelcontextprotocol/serverInfo"
	metaSubscription = "io.modelcontextprotocol/subscriptionId"
	metaRelatedTask  = "io.modelcontextprotocol/related-task"
)

// The ids of the greeting are numbers: a server that gives numbers back as it should
// not is found out here.
const discoverID, initializeID = "1", "2"

// discoverPatience is how long the modern protocol's first question may go without
// an answer. Some servers of the older protocols ignore what they do not know.
const discoverPatience = 8 * time.Second

// logLevel is from where on the server's log is wanted.
const logLevel = "info"

// implementation is what a client or a server calls itself.
type implementation struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// capabilities are what the server is offered.
func (o *Options) capabilities() map[string]any {
	if o.Probe {
		return map[string]any{}
	}
	return map[string]any{
		"elicitation": map[string]any{"form": struct{}{}, "url": struct{}{}},
		"extensions":  map[string]any{tasksExtension: struct{}{}},
	}
}

// greet finds out which protocol the server speaks: server/discover is the modern one.
func (c *Client) greet(ctx context.Context, o *Options) error {
	patient, over := c.waiting(ctx, "initialize", "")
	defer over()
	me := implementation{Name: cmp.Or(o.Name, "mcpauth"), Version: o.Version}
	modern := map[string]any{metaVersion: modernVersion, metaClientInfo: me, metaCapabilities: o.capabilities()}
	if !o.Probe {
		modern[metaLogLevel] = logLevel
	}
	undiscovered := c.discover(patient, modern)
	if undiscovered == nil {
		return nil
	}
	switch err := c.initialize(patient, me, o.capabilities()); {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrClosed):
		return c.neverGreeted(undiscovered)
	case err != nil && patient.Err() != nil:
		return context.Cause(patient)
	case err != nil:
		return c.unreachable(c.x.Server()+" cannot be talked to: "+text.CleanLine(err.Error()), err)
	}
	if hasMember(c.info.Capabilities, "logging") && !o.Probe {
		_, _ = c.request(patient, "logging/setLevel", params{"level": logLevel}) // it goes on without
	}
	return nil
}

// neverGreeted is the error of a server that ended before it answered. The relay's
// answer to the first question may say why.
func (c *Client) neverGreeted(undiscovered error) error {
	var failure *ServerError
	if c.x.ExitReason() == "" && errors.As(undiscovered, &failure) && failure.Code == codeBackendGone {
		return c.unreachable(strings.TrimPrefix(failure.Message, "mcpauth: "), failure)
	}
	return c.gone()
}

// discover greets by server/discover. Any error means that an older protocol is tried.
func (c *Client) discover(ctx context.Context, meta map[string]any) error {
	ctx, cancel := context.WithTimeout(ctx, discoverPatience)
	defer cancel()
	result, err := c.exchange(ctx, discoverID, "server/discover", params{"_meta": meta})
	if err != nil {
		return err
	}
	var said struct {
		hello
		SupportedVersions []string
		Meta              map[string]json.RawMessage `json:"_meta"`
	}
	if err := json.Unmarshal(result, &said); err != nil {
		return err
	}
	if !slices.Contains(said.SupportedVersions, modernVersion) { // some answer anything
		return fmt.Errorf("it speaks the protocols %q", said.SupportedVersions)
	}
	_ = json.Unmarshal(said.Meta[metaServerInfo], &said.ServerInfo)
	c.meta = meta
	c.info = said.info(modernVersion, result)
	return nil
}

// initialize greets in the way of the older protocols.
func (c *Client) initialize(ctx context.Context, me implementation, can map[string]any) error {
	result, err := c.exchange(ctx, initializeID, "initialize", params{
		"protocolVersion": olderVersions[0], "clientInfo": me, "capabilities": can,
	})
	if err != nil {
		return err
	}
	var said struct {
		hello
		ProtocolVersion loose
	}
	if err := json.Unmarshal(result, &said); err != nil {
		return errors.New("its answer to initialize is no object")
	}
	if !slices.Contains(olderVersions, string(said.ProtocolVersion)) {
		return fmt.Errorf("it speaks a protocol that is not known: %q", said.ProtocolVersion)
	}
	c.info = said.info(string(said.ProtocolVersion), result)
	return c.wire.send(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
}

// hello is what both ways of greeting are answered with.
type hello struct {
	ServerInfo   struct{ Name, Title, Version loose }
	Instructions loose
	Capabilities json.RawMessage
}

func (h *hello) info(version string, raw json.RawMessage) ServerInfo {
	return ServerInfo{
		Name: string(h.ServerInfo.Name), Title: string(h.ServerInfo.Title), Version: string(h.ServerInfo.Version),
		ProtocolVersion: version, Instructions: string(h.Instructions), Capabilities: h.Capabilities, Raw: raw,
	}
}

// exchange sends a request of the greeting. An error of the server is a *ServerError.
func (c *Client) exchange(ctx context.Context, id, method string, p params) (json.RawMessage, error) {
	m, err := c.wire.call(ctx, id, map[string]any{"jsonrpc": "2.0", "id": json.RawMessage(id), "method": method, "params": p})
	switch {
	case err != nil:
		return nil, err
	case m.Error != nil:
		return nil, readError(m.Error)
	}
	return m.Result, nil
}

// hasMember reports whether an object has a member that is not null.
func hasMember(object json.RawMessage, name string) bool {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(object, &members) // without members where it is none
	return len(members[name]) > 0 && string(members[name]) != "null"
}
