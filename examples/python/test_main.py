"""Tests main.py as a real child process over pipes: python3 -m unittest"""

import ast
import json
import os
import subprocess
import sys
import threading
import unittest

MAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "main.py")
DEADLINE = 10  # seconds; reached only when something hangs

USER_KEY = "io.github.mcpauth/user"
ADA = {
    "sub": "ada", "user_id": "ada", "email": "ada@example.com", "name": "Ada Lovelace", "given_name": "Ada",
    "family_name": "Lovelace", "preferred_username": "ada", "groups": ["engineering"], "roles": ["analyst"],
    "scopes": ["openid", "profile"], "issuer": "https://idp.example", "audience": ["mcpauth"],
    "client_id": "mcpauth", "auth_time": 1790000000, "expires_at": 1790003600, "profile": "default",
}
ADMIN = dict(ADA, groups=["admins"])
MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {}}


def talk(*lines):
    """Sends all lines (objects become JSON), closes stdin, gives the answers and stderr."""
    sent = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    child = subprocess.run([sys.executable, MAIN], input=sent, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=DEADLINE)
    if child.returncode != 0:
        raise AssertionError("exit status %d: %s" % (child.returncode, child.stderr.decode()))
    return [json.loads(line) for line in child.stdout.split(b"\n") if line], child.stderr.decode()


def request(method, meta=None, ident=1, **params):
    if meta is not None:
        params["_meta"] = meta
    return {"jsonrpc": "2.0", "id": ident, "method": method, "params": params}


def ask(method, meta=None, **params):
    """One request, one answer."""
    answers, _ = talk(request(method, meta, **params))
    if len(answers) != 1:
        raise AssertionError("%d answers" % len(answers))
    return answers[0]


def result(method, meta=None, **params):
    answer = ask(method, meta, **params)
    if "result" not in answer:
        raise AssertionError(answer)
    return answer["result"]


def call(name, arguments, user=None):
    return result("tools/call", {USER_KEY: user} if user else None, name=name, arguments=arguments)


class Legacy(unittest.TestCase):
    def test_handshake(self):
        answers, log = talk(request("initialize", protocolVersion="2025-06-18", capabilities={}),
                            {"jsonrpc": "2.0", "method": "notifications/initialized"},
                            request("ping", ident="two"))
        self.assertEqual([a["id"] for a in answers], [1, "two"])
        self.assertEqual(answers[0]["result"]["protocolVersion"], "2025-06-18")
        self.assertEqual(set(answers[0]["result"]["capabilities"]), {"tools", "resources", "prompts"})
        self.assertEqual(answers[1]["result"], {})
        self.assertIn("ready", log)

    def test_unknown_version_gets_the_newest(self):
        for version in ("1999-01-01", "2026-07-28"):
            self.assertEqual(result("initialize", protocolVersion=version)["protocolVersion"], "2025-11-25")

    def test_results_are_of_the_old_form(self):
        for method in ("tools/list", "resources/list", "resources/templates/list", "prompts/list"):
            self.assertFalse({"resultType", "ttlMs", "cacheScope", "_meta"} & set(result(method)), method)

    def test_discover_is_of_the_new_era(self):
        self.assertEqual(ask("server/discover")["error"]["code"], -32601)


class Modern(unittest.TestCase):
    def test_discover(self):
        found = result("server/discover", MODERN)
        self.assertEqual(found["supportedVersions"][0], "2026-07-28")
        self.assertEqual(found["resultType"], "complete")
        self.assertEqual(found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "orders")
        self.assertIn("tools", found["capabilities"])

    def test_cache_hints(self):
        meta = dict(MODERN, **{USER_KEY: ADA})
        for method, params, scope in [
            ("server/discover", {}, "public"), ("tools/list", {}, "public"), ("prompts/list", {}, "public"),
            ("resources/list", {}, "public"), ("resources/templates/list", {}, "public"),
            ("resources/read", {"uri": "user://me"}, "private"),
        ]:
            got = result(method, meta, **params)
            self.assertEqual((got["resultType"], got["cacheScope"]), ("complete", scope), method)
            self.assertIs(type(got["ttlMs"]), int, method)
        got = result("tools/call", meta, name="whoami", arguments={})
        self.assertEqual((got["resultType"], "ttlMs" in got), ("complete", False))

    def test_refusals(self):
        error = ask("tools/list", dict(MODERN, **{"io.modelcontextprotocol/protocolVersion": "2099-01-01"}))["error"]
        self.assertEqual(error["code"], -32022)
        self.assertEqual(error["data"]["requested"], "2099-01-01")
        self.assertIn("2026-07-28", error["data"]["supported"])
        for key in MODERN:
            self.assertEqual(ask("tools/list", dict(MODERN, **{key: 7}))["error"]["code"], -32602, key)
        without = {key: MODERN[key] for key in MODERN if key.endswith("Version")}
        self.assertEqual(ask("tools/list", without)["error"]["code"], -32602)
        for gone in ("initialize", "ping"):
            self.assertEqual(ask(gone, MODERN)["error"]["code"], -32601, gone)


class Users(unittest.TestCase):
    def test_whoami(self):
        got = call("whoami", {}, ADA)
        want = {"sub": "ada", "name": "Ada Lovelace", "email": "ada@example.com", "groups": ["engineering"]}
        self.assertEqual(got["structuredContent"], want)
        self.assertEqual(json.loads(got["content"][0]["text"]), want)
        self.assertNotIn("isError", got)

    def test_user_with_little_to_tell(self):
        self.assertEqual(call("whoami", {}, {"sub": "x"})["structuredContent"], {"sub": "x", "groups": []})

    def test_list_users_depends_on_groups(self):
        everyone = call("list_users", {}, ADMIN)["structuredContent"]["users"]
        self.assertEqual(len(everyone), 3)
        self.assertTrue(all("email" in person for person in everyone))
        mates = call("list_users", {}, ADA)["structuredContent"]["users"]
        self.assertEqual([person["name"] for person in mates], ["Ada Lovelace", "Alan Turing"])
        self.assertFalse(any("email" in person for person in mates))
        self.assertEqual(call("list_users", {}, {"sub": "x"})["structuredContent"], {"users": []})

    def test_limit(self):
        self.assertEqual(len(call("list_users", {"limit": 1}, ADMIN)["structuredContent"]["users"]), 1)
        for limit in (0, 101, -1, "1", 1.0, True, None, [1]):
            got = call("list_users", {"limit": limit}, ADMIN)
            self.assertTrue(got.get("isError"), limit)
            self.assertNotIn("structuredContent", got)
        self.assertTrue(call("list_users", {"limits": 1}, ADMIN)["isError"])

    def test_my_orders_takes_the_user_as_an_argument(self):
        got = call("my_orders", {"_oauth_user": ADA})
        self.assertEqual(got["structuredContent"], {"orders": ["a difference engine", "punched cards"]})
        self.assertEqual(call("my_orders", {"_oauth_user": dict(ADA, sub="new")})["structuredContent"], {"orders": []})

    def test_argument_that_came_unasked(self):
        self.assertEqual(call("whoami", {"_oauth_user": ADMIN}, ADA)["structuredContent"]["groups"], ["engineering"])

    def test_resource_and_prompt(self):
        got = result("resources/read", {USER_KEY: ADA}, uri="user://me")["contents"][0]
        self.assertEqual((got["uri"], json.loads(got["text"])["issuer"]), ("user://me", "https://idp.example"))
        got = result("prompts/get", {USER_KEY: ADA}, name="briefing")["messages"][0]
        self.assertIn("briefing for Ada.", got["content"]["text"])

    def test_without_a_user_nothing_is_told(self):
        for meta in (None, {}, {USER_KEY: None}, {USER_KEY: "ada"}, {USER_KEY: {}}, {USER_KEY: {"sub": ""}}):
            for tool in ("whoami", "list_users", "my_orders"):
                got = result("tools/call", meta, name=tool, arguments={})
                self.assertTrue(got.get("isError"), (tool, meta))
                self.assertIn("mcpauth proxy", got["content"][0]["text"])
        for method, params in (("resources/read", {"uri": "user://me"}), ("prompts/get", {"name": "briefing"})):
            self.assertEqual(ask(method, **params)["error"]["code"], 401, method)

    def test_users_do_not_stick(self):
        answers, log = talk(request("tools/call", {USER_KEY: ADA}, name="whoami"), request("tools/call", name="whoami"))
        self.assertNotIn("isError", answers[0]["result"])
        self.assertTrue(answers[1]["result"]["isError"])
        self.assertNotIn("ada", log.lower())


class Protocol(unittest.TestCase):
    def test_unknown_things(self):
        meta = {USER_KEY: ADA}
        for method, params, code in [
            ("tools/call", {"name": "rm"}, -32602), ("tools/call", {}, -32602), ("tools/call", {"name": ["whoami"]}, -32602),
            ("tools/call", {"name": "whoami", "arguments": []}, -32602), ("prompts/get", {"name": "x"}, -32602),
            ("resources/read", {"uri": "user://you"}, -32002), ("tools/sing", {}, -32601),
        ]:
            self.assertEqual(ask(method, meta, **params)["error"]["code"], code, (method, params))
        self.assertEqual(ask("resources/read", dict(MODERN, **meta), uri="user://you")["error"]["code"], -32602)

    def test_malformed_lines_do_not_end_it(self):
        ping = request("ping", ident=99)
        for line, code in [
            (b"{", -32700), (b"\xff\xfe", -32700), (b'{"jsonrpc":"2.0","id":1,"method":"ping"} x', -32700),
            (b"\xef\xbb\xbf" + json.dumps(ping).encode(), -32700), (b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}', -32700),
            (b"[" * 100000, -32700), (b"[]", -32600), (b"7", -32600), (b'{"id":1,"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":1e999,"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
        ]:
            answers, _ = talk(line, ping)
            self.assertEqual([a["id"] for a in answers], [None, 99], line[:60])
            self.assertEqual(answers[0]["error"]["code"], code, line[:60])
        for params in ([], None, {"_meta": 7}):
            answers, _ = talk({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": params}, ping)
            self.assertEqual([a.get("error", {}).get("code") for a in answers], [-32602, None])

    def test_a_carriage_return_is_no_line_end(self):
        smuggled = json.dumps(request("tools/call", {USER_KEY: ADA}, ident=666, name="whoami")).encode()
        for separator in (b"\r", b"\r\r", b"\x0b", "\u2028".encode()):
            line = b'{"jsonrpc":"2.0","id":1,' + separator + smuggled + separator + b"}"
            answers, _ = talk(line)
            self.assertEqual([(a["id"], a["error"]["code"]) for a in answers], [(None, -32700)])
        answers, _ = talk(b'{"jsonrpc":"2.0",\r"id":1,"method":"ping"}\r')
        self.assertEqual([a["id"] for a in answers], [1])

    def test_silence(self):
        answers, _ = talk(b"", b"  ", {"jsonrpc": "2.0", "method": "notifications/cancelled"},
                          {"jsonrpc": "2.0", "id": 5, "result": {}})
        self.assertEqual(answers, [])

    def test_last_line_without_an_end(self):
        child = subprocess.run([sys.executable, MAIN], input=json.dumps(request("ping")).encode(),
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=DEADLINE)
        self.assertEqual(json.loads(child.stdout)["result"], {})

    def test_ids_and_text_survive(self):
        big = 2 ** 63 + 1
        answers, _ = talk(request("tools/call", {USER_KEY: {"sub": "é\u2028\n\r\ud800"}}, ident=big, name="whoami"))
        self.assertEqual(answers[0]["id"], big)
        self.assertEqual(answers[0]["result"]["structuredContent"]["sub"], "é\u2028\n\r\ud800")

    def test_answers_at_once_and_ends_at_eof(self):
        # PYTHONUNBUFFERED would flush for it.
        env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        child = subprocess.Popen([sys.executable, MAIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, env=env)
        stop = threading.Timer(DEADLINE, child.kill)
        stop.start()
        try:
            for ident in (1, 2):  # the pipe stays open, so an answer that is not flushed never comes
                child.stdin.write(json.dumps(request("ping", ident=ident)).encode() + b"\n")
                child.stdin.flush()
                self.assertEqual(json.loads(child.stdout.readline())["id"], ident)
            child.stdin.close()
            self.assertEqual(child.stdout.read(), b"")
            self.assertEqual(child.wait(), 0)
        finally:
            stop.cancel()
            child.kill()
            child.wait()
            child.stdout.close()

    def test_every_tool_declares_its_shape(self):
        tools = {tool["name"]: tool for tool in result("tools/list")["tools"]}
        self.assertEqual(set(tools), {"whoami", "list_users", "my_orders"})
        for tool in tools.values():
            self.assertEqual(tool["inputSchema"]["type"], "object")
            self.assertEqual(tool["outputSchema"]["type"], "object")
        self.assertIn("_oauth_user", tools["my_orders"]["inputSchema"]["properties"])
        self.assertNotIn("_oauth_user", tools["whoami"]["inputSchema"]["properties"])

    def test_python_3_9_can_read_it(self):
        with open(MAIN, encoding="utf-8") as source:
            ast.parse(source.read(), feature_version=(3, 9))


if __name__ == "__main__":
    unittest.main()
