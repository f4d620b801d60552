#!/usr/bin/env python3
"""An MCP server that knows its user, in nothing but Python's standard library.

Run it as `mcpauth proxy -- python3 main.py`. mcpauth signs the person in and
puts who they are into each request; this file shows how to read that and what
to do when it is missing. It needs Python 3.9 or newer and speaks both eras of
the protocol: 2026-07-28, where each request stands alone, and the older ones
that begin with `initialize`.
"""

import json
import sys
import traceback

# Where mcpauth puts the user: params._meta[USER_KEY]. It removes whatever a
# client sends under this name, so behind mcpauth the value can be trusted.
USER_KEY = "io.github.mcpauth/user"

SERVER = {"name": "orders", "version": "1.0.0"}
MODERN = ["2026-07-28"]
LEGACY = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
CAPABILITIES = {"tools": {}, "resources": {}, "prompts": {}}
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CLIENT_CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_KEY = "io.modelcontextprotocol/serverInfo"

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = (
    -32700, -32600, -32601, -32602, -32603)
UNSUPPORTED_VERSION = -32022
RESOURCE_NOT_FOUND_LEGACY = -32002
NOT_SIGNED_IN = 401  # our own codes stay clear of -32768 to -32000, which is reserved

PEOPLE = [
    {"name": "Ada Lovelace", "email": "ada@example.com", "group": "engineering"},
    {"name": "Alan Turing", "email": "alan@example.com", "group": "engineering"},
    {"name": "Grace Hopper", "email": "grace@example.com", "group": "sales"},
]
ORDERS = {"ada": ["a difference engine", "punched cards"], "grace": ["a compiler"]}  # by sub


class RpcError(Exception):
    """Becomes a JSON-RPC error: the request itself was wrong."""

    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class ToolError(Exception):
    """Becomes a tool result with isError: the model reads it and can react."""


class NotSignedIn(ToolError):
    def __init__(self):
        super().__init__("nobody is signed in: start this server with `mcpauth proxy -- python3 main.py`")


# --- who is asking ---------------------------------------------------------


def checked(user):
    """Gives back a user that mcpauth has put into a request, or refuses.

    There is none when this server was started without mcpauth. Then there is
    nobody to act for, and guessing (an environment variable, the first user)
    would give the next caller somebody else's data. So refuse.
    """
    if not isinstance(user, dict) or not isinstance(user.get("sub"), str) or not user["sub"]:
        raise NotSignedIn()
    return user


def user(params):
    """The user of one request. Ask again for each request, never remember it:
    the person may sign out, or another one in, while this process lives on."""
    return checked(params["_meta"].get(USER_KEY))


# --- tools -----------------------------------------------------------------


def whoami(params, arguments):
    u = user(params)
    # Pick what you need. `sub` is the stable key of a person (together with
    # `issuer`); an e-mail address may change hands.
    who = {key: u[key] for key in ("sub", "name", "email") if key in u}
    who["groups"] = u.get("groups", [])
    return who


def list_users(params, arguments):
    u = user(params)
    limit = arguments.get("limit", 10)
    # The model chose this value. bool is a kind of int in Python, hence type().
    if type(limit) is not int or not 1 <= limit <= 100:
        raise ToolError("limit must be a whole number from 1 to 100")
    groups = u.get("groups", [])
    if "admins" in groups:
        people = PEOPLE
    else:  # others see whom they work with, and no addresses
        people = [{"name": p["name"], "group": p["group"]} for p in PEOPLE if p["group"] in groups]
    return {"users": people[:limit]}


def my_orders(params, arguments):
    # The other way to get the user: as an argument. mcpauth fills in
    # `_oauth_user` for a tool whose inputSchema names it, and hides the
    # property from the model. Handy for functions that only see arguments.
    u = checked(arguments.get("_oauth_user"))
    return {"orders": ORDERS.get(u["sub"], [])}


def schema(properties, *required):
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def array(items):
    return {"type": "array", "items": items}


STRING = {"type": "string"}
TOOLS = {
    "whoami": (whoami, {
        "description": "Tells who is signed in.",
        "inputSchema": schema({}),
        "outputSchema": schema({"sub": STRING, "name": STRING, "email": STRING, "groups": array(STRING)},
                               "sub", "groups"),
    }),
    "list_users": (list_users, {
        "description": "Lists the people that the signed-in user may see.",
        "inputSchema": schema({"limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}}),
        "outputSchema": schema({"users": array(schema(
            {"name": STRING, "email": STRING, "group": STRING}, "name", "group"))}, "users"),
    }),
    "my_orders": (my_orders, {
        "description": "Lists the orders of the signed-in user.",
        "inputSchema": schema({"_oauth_user": {"type": "object", "description": "filled in by mcpauth"}}),
        "outputSchema": schema({"orders": array(STRING)}, "orders"),
    }),
}


def call_tool(params):
    name, arguments = params.get("name"), params.get("arguments", {})
    if not isinstance(name, str) or name not in TOOLS:
        raise RpcError(INVALID_PARAMS, "unknown tool")
    if not isinstance(arguments, dict):
        raise RpcError(INVALID_PARAMS, "arguments must be an object")
    run, declared = TOOLS[name]
    try:
        # `_oauth_user` may be there unasked: mcpauth has a mode that always sends it.
        unknown = set(arguments) - set(declared["inputSchema"]["properties"]) - {"_oauth_user"}
        if unknown:
            raise ToolError("unknown argument " + json.dumps(min(unknown)))
        result = run(params, arguments)
    except ToolError as error:
        return {"content": [{"type": "text", "text": str(error)}], "isError": True}
    # Clients without structuredContent read the same thing as text.
    return {"content": [{"type": "text", "text": json.dumps(result)}], "structuredContent": result}


# --- resources and prompts -------------------------------------------------


def read_resource(params):
    if params.get("uri") != "user://me":
        raise RpcError(INVALID_PARAMS if modern(params) else RESOURCE_NOT_FOUND_LEGACY, "resource not found")
    u = user(params)
    me = {key: u.get(key) for key in ("sub", "name", "email", "groups", "roles", "scopes", "issuer", "profile")}
    return {"contents": [{"uri": "user://me", "mimeType": "application/json", "text": json.dumps(me)}]}


def get_prompt(params):
    if params.get("name") != "briefing":
        raise RpcError(INVALID_PARAMS, "unknown prompt")
    u = user(params)
    name = u.get("given_name") or u.get("name") or u["sub"]
    text = "Write a short briefing for {}. Call my_orders first.".format(name)
    return {"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}


# --- the protocol ----------------------------------------------------------


def modern(params):
    """The era of one request: the new one names its version in each of them."""
    return VERSION_KEY in params["_meta"]


def initialize(params):
    asked = params.get("protocolVersion")
    return {"protocolVersion": asked if asked in LEGACY else LEGACY[0],
            "capabilities": CAPABILITIES, "serverInfo": SERVER}


def cached(method, scope, milliseconds):
    """Adds for how long and for whom a client may keep a result (2026-07-28).
    `private` is a must for whatever depends on the user."""
    return lambda params: dict(method(params), ttlMs=milliseconds, cacheScope=scope)


HOUR = 3600 * 1000
BOTH_ERAS = {
    "tools/list": cached(lambda _: {"tools": [dict(t, name=n) for n, (_, t) in TOOLS.items()]}, "public", HOUR),
    "tools/call": call_tool,
    "resources/list": cached(lambda _: {"resources": [
        {"uri": "user://me", "name": "me", "mimeType": "application/json"}]}, "public", HOUR),
    "resources/templates/list": cached(lambda _: {"resourceTemplates": []}, "public", HOUR),
    "resources/read": cached(read_resource, "private", 0),
    "prompts/list": cached(lambda _: {"prompts": [{"name": "briefing"}]}, "public", HOUR),
    "prompts/get": get_prompt,
}
LEGACY_METHODS = dict(BOTH_ERAS, initialize=initialize, ping=lambda _: {})
MODERN_METHODS = dict(BOTH_ERAS)
MODERN_METHODS["server/discover"] = cached(
    lambda _: {"supportedVersions": MODERN + LEGACY, "capabilities": CAPABILITIES}, "public", HOUR)


def dispatch(method, params):
    if not isinstance(params, dict) or not isinstance(params.setdefault("_meta", {}), dict):
        raise RpcError(INVALID_PARAMS, "params and _meta must be objects")
    methods = MODERN_METHODS if modern(params) else LEGACY_METHODS
    if modern(params):
        requested = params["_meta"][VERSION_KEY]
        if not isinstance(requested, str):
            raise RpcError(INVALID_PARAMS, "the protocol version must be a string")
        if requested not in MODERN:
            raise RpcError(UNSUPPORTED_VERSION, "unsupported protocol version",
                           {"supported": MODERN + LEGACY, "requested": requested})
        if not isinstance(params["_meta"].get(CLIENT_CAPABILITIES_KEY), dict):
            raise RpcError(INVALID_PARAMS, "_meta lacks " + CLIENT_CAPABILITIES_KEY)
    if method not in methods:
        raise RpcError(METHOD_NOT_FOUND, "unknown method")
    try:
        result = methods[method](params)
    except NotSignedIn as error:
        raise RpcError(NOT_SIGNED_IN, str(error))
    if modern(params):
        return dict(result, resultType="complete", _meta={SERVER_KEY: SERVER})
    return {key: value for key, value in result.items() if key not in ("ttlMs", "cacheScope")}


def reject_constant(name):
    raise ValueError(name + " is no JSON")


def answer(line):
    """The response to one line, or None for what wants none."""
    ident = None  # JSON-RPC 2.0, 5: null where the id cannot be read
    try:
        try:
            # Decode first: given bytes, json.loads takes UTF-16, UTF-32 and a BOM, too.
            message = json.loads(line.decode("utf-8"), parse_constant=reject_constant)
        except (ValueError, RecursionError):
            raise RpcError(PARSE_ERROR, "parse error")
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            raise RpcError(INVALID_REQUEST, "not a JSON-RPC 2.0 message")
        if "id" not in message or "method" not in message:
            return None  # a notification, or the response to a request that we never sent
        if type(message["id"]) not in (int, str):
            raise RpcError(INVALID_REQUEST, "id must be a string or an integer")
        ident = message["id"]
        if not isinstance(message["method"], str):
            raise RpcError(INVALID_REQUEST, "method must be a string")
        return {"jsonrpc": "2.0", "id": ident, "result": dispatch(message["method"], message.get("params", {}))}
    except RpcError as error:
        problem = {"code": error.code, "message": error.message}
        if error.data is not None:
            problem["data"] = error.data
    except Exception:  # a bug in a tool must not take the server down
        traceback.print_exc()
        problem = {"code": INTERNAL_ERROR, "message": "internal error"}
    return {"jsonrpc": "2.0", "id": ident, "error": problem}


def main():
    # A message ends at \n and nowhere else. Python's text streams would also
    # end it at \r ("universal newlines"), which JSON allows as white space: one
    # harmless message that a filter has passed could come out as two, the second
    # of them a tool call. Text mode writes \r\n on Windows, too. So both sides
    # are bytes.
    out = sys.stdout.buffer
    sys.stdout = sys.stderr  # stdout is the protocol: a stray print() must not get there
    print("orders: ready", file=sys.stderr)
    for line in sys.stdin.buffer:
        if line.strip():
            reply = answer(line)
            if reply is not None:
                # json.dumps escapes all that is not ASCII, newlines included.
                out.write(json.dumps(reply).encode("ascii") + b"\n")
                out.flush()  # the client is waiting, and a pipe is block-buffered


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
