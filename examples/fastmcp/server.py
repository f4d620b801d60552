"""The server of ../python/main.py, written with FastMCP.

Run it as `mcpauth proxy -- python3 server.py`.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastmcp import Context, FastMCP
from fastmcp.exceptions import PromptError, ResourceError, ToolError
from pydantic import Field

# Where mcpauth puts the user: params._meta[USER_KEY]. It removes whatever a
# client sends under this name, so behind mcpauth the value can be trusted.
USER_KEY = "io.github.mcpauth/user"

PEOPLE = [
    {"name": "Ada Lovelace", "email": "ada@example.com", "group": "engineering"},
    {"name": "Alan Turing", "email": "alan@example.com", "group": "engineering"},
    {"name": "Grace Hopper", "email": "grace@example.com", "group": "sales"},
]
ORDERS = {"ada": ["a difference engine", "punched cards"], "grace": ["a compiler"]}  # by sub

mcp = FastMCP("orders")


def user(ctx: Context, refusal: type[Exception] = ToolError) -> Mapping[str, Any]:
    """The user of this request. Ask again in each request, never remember it.

    There is none when the server was started without mcpauth. Then there is
    nobody to act for, so refuse. Do not fall back to get_access_token(): it is
    always None over stdio, and FastMCP then skips its own `auth=` checks.
    """
    meta = getattr(ctx.request_context, "meta", None)
    # FastMCP 4 hands on _meta as a mapping, 2 and 3 as a model with extra fields.
    fields = meta if isinstance(meta, Mapping) else getattr(meta, "model_extra", None)
    found = (fields or {}).get(USER_KEY)
    if not isinstance(found, Mapping) or not found.get("sub"):
        raise refusal("nobody is signed in: start this server with `mcpauth proxy -- python3 server.py`")
    return found


def require_scope(u: Mapping[str, Any], scope: str) -> None:
    """What FastMCP's require_scopes() does over HTTP, for stdio."""
    if scope not in u.get("scopes", []):
        raise ToolError(f"this needs the scope {scope}")


@mcp.tool
def whoami(ctx: Context) -> dict[str, Any]:
    """Tells who is signed in."""
    u = user(ctx)
    who = {key: u[key] for key in ("sub", "name", "email") if key in u}
    return {**who, "groups": u.get("groups", [])}


@mcp.tool
def list_users(ctx: Context, limit: Annotated[int, Field(ge=1, le=100)] = 10) -> dict[str, Any]:
    """Lists the people that the signed-in user may see."""
    groups = user(ctx).get("groups", [])
    if "admins" in groups:
        people = PEOPLE
    else:  # others see whom they work with, and no addresses
        people = [{"name": p["name"], "group": p["group"]} for p in PEOPLE if p["group"] in groups]
    return {"users": people[:limit]}


@mcp.tool
def my_orders(ctx: Context) -> dict[str, Any]:
    """Lists the orders of the signed-in user."""
    u = user(ctx)
    require_scope(u, "openid")  # in earnest it would be one of your own, like orders:read
    return {"orders": ORDERS.get(u["sub"], [])}


@mcp.resource("user://me", mime_type="application/json")
def me(ctx: Context) -> str:
    """The signed-in user."""
    u = user(ctx, ResourceError)
    return json.dumps({key: u.get(key) for key in ("sub", "name", "email", "groups", "roles", "scopes", "issuer")})


@mcp.prompt
def briefing(ctx: Context) -> str:
    """A briefing for the signed-in user."""
    u = user(ctx, PromptError)
    name = u.get("given_name") or u.get("name") or u["sub"]
    return f"Write a short briefing for {name}. Call my_orders first."


if __name__ == "__main__":
    mcp.run()  # stdio
