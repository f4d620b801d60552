// An MCP server that knows its user, with the official TypeScript SDK.
//
// Run it as `mcpauth proxy -- node build/server.js`.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

import { checked, userOf } from "./user.js";

const ORDERS = new Map([
  ["ada", ["a difference engine", "punched cards"]],
  ["grace", ["a compiler"]],
]); // by sub

const server = new McpServer({ name: "orders", version: "1.0.0" });

const text = (value: unknown) => ({ content: [{ type: "text" as const, text: JSON.stringify(value) }] });

// What a handler throws becomes a result with isError, which the model can read.
server.registerTool("whoami", { description: "Tells who is signed in." }, (extra) => {
  const { sub, name, email, groups } = userOf(extra);
  return text({ sub, name, email, groups });
});

// The other way to get the user: as an argument. mcpauth fills in `_oauth_user` for
// a tool whose inputSchema names it, and hides the property from the model.
server.registerTool(
  "my_orders",
  {
    description: "Lists the orders of the signed-in user.",
    inputSchema: { limit: z.number().int().min(1).max(100).default(10), _oauth_user: z.unknown() },
  },
  ({ limit, _oauth_user }) => text({ orders: (ORDERS.get(checked(_oauth_user).sub) ?? []).slice(0, limit) }),
);

server.registerResource("me", "user://me", { description: "The signed-in user.", mimeType: "application/json" }, (uri, extra) => ({
  contents: [{ uri: uri.href, mimeType: "application/json", text: JSON.stringify(userOf(extra)) }],
}));

await server.connect(new StdioServerTransport());
