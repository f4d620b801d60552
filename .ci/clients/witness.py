"""An MCP server that writes down what it receives."""
import json
import sys

with open(sys.argv[1], "a", encoding="utf-8", buffering=1) as witness:
    for line in sys.stdin:
        message = json.loads(line)
        params = message.get("params", {})
        client = params.get("clientInfo", {}).get("name", "")
        witness.write(json.dumps({"method": message.get("method"), "client": client}) + "\n")
        if "id" not in message or "method" not in message:
            continue
        answer = {"jsonrpc": "2.0", "id": message["id"]}
        match message["method"]:
            case "initialize":
                answer["result"] = {
                    "protocolVersion": params["protocolVersion"],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "witness", "version": "1"},
                }
            case "tools/list":
                answer["result"] = {"tools": [{"name": "hello", "inputSchema": {"type": "object"}}]}
            case "ping":
                answer["result"] = {}
            case _:
                answer["error"] = {"code": -32601, "message": "method not found"}
        print(json.dumps(answer), flush=True)
