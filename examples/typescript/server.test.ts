import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { CallToolResultSchema, ReadResourceResultSchema } from "@modelcontextprotocol/sdk/types.js";

const ADA = { sub: "ada", issuer: "https://login.example.com", email: "ada@example.com", name: "Ada Lovelace", groups: ["admins"] };
const META = { "io.github.mcpauth/user": ADA };

const client = new Client({ name: "test", version: "1.0.0" });
before(() => client.connect(new StdioClientTransport({ command: process.execPath, args: [new URL("server.js", import.meta.url).pathname] })));
after(() => client.close());

async function call(params: { name: string; arguments?: Record<string, unknown>; _meta?: Record<string, unknown> }) {
  const result = await client.request({ method: "tools/call", params }, CallToolResultSchema);
  const first = result.content[0];
  return { isError: result.isError === true, text: first?.type === "text" ? first.text : "" };
}

test("the user comes in _meta", async () => {
  const { isError, text } = await call({ name: "whoami", _meta: META });
  assert.equal(isError, false, text);
  assert.deepEqual(JSON.parse(text), { sub: "ada", name: "Ada Lovelace", email: "ada@example.com", groups: ["admins"] });
});

test("the user comes as an argument that the schema names", async () => {
  const { tools } = await client.listTools();
  assert.ok("_oauth_user" in (tools.find((tool) => tool.name === "my_orders")?.inputSchema.properties ?? {}));
  const { text } = await call({ name: "my_orders", arguments: { limit: 1, _oauth_user: ADA } });
  assert.deepEqual(JSON.parse(text), { orders: ["a difference engine"] });
});

test("resources have the user, too", async () => {
  const read = await client.request({ method: "resources/read", params: { uri: "user://me", _meta: META } }, ReadResourceResultSchema);
  const first = read.contents[0];
  assert.equal(JSON.parse(first && "text" in first ? String(first.text) : "{}").sub, "ada");
});

test("without a user nothing is told", async () => {
  for (const tool of ["whoami", "my_orders"]) {
    const { isError, text } = await call({ name: tool, arguments: tool === "my_orders" ? {} : undefined });
    assert.ok(isError, text);
    assert.match(text, /nobody is signed in|_oauth_user/);
  }
});

test("a user with little to tell is one, and one without a subject is none", async () => {
  const little = await call({ name: "whoami", _meta: { "io.github.mcpauth/user": { sub: "x", issuer: "https://i" } } });
  assert.deepEqual(JSON.parse(little.text), { sub: "x", groups: [] });
  const none = await call({ name: "whoami", _meta: { "io.github.mcpauth/user": { ...ADA, sub: "" } } });
  assert.ok(none.isError);
});
