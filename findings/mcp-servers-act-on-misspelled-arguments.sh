#!/bin/sh
# mcp 2.3.0 and fastmcp 4.2.3 with Python 3.11, @modelcontextprotocol/sdk 1.32.2 with Node.js 20 (the Model Context Protocol's
# own SDKs are the first and the last), seen on 2026-12-01.
# One would guess: a call with an argument that the tool does not have is refused, as one with a wrong type is ("Servers MUST
# validate all tool inputs", Tools, Security Considerations).
# What happens: both SDKs of the protocol drop it and call the tool. A model that writes dryRun for dry_run has the real thing
# done and is told nothing. fastmcp, in which one writes the same function, refuses and names the argument.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check mcp==2.3.0 fastmcp==4.2.3
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools @modelcontextprotocol/sdk@1.32.2 zod@4.6.7

cat > ask.py << 'END'
import asyncio, json, sys, fastmcp
from mcp.client import Client
from mcp.server.mcpserver import MCPServer

def remove(name: str, dry_run: bool = False) -> str:
    return f"{'would remove' if dry_run else 'removed'} {name}"

def tell(which, schema, answers):
    print(f"{which}: additionalProperties is {json.dumps(schema.get('additionalProperties', 'not there'))}")
    for failed, said in answers:
        print(f"{which}:", "refused" if failed else said)

async def main():
    calls = json.loads(sys.argv[1])
    own, fast = MCPServer("shop"), fastmcp.FastMCP("shop")
    own.tool()(remove)
    fast.tool(remove)
    async with Client(own) as client:
        schema = (await client.list_tools()).tools[0].input_schema
        answers = [await client.call_tool("remove", call) for call in calls]
        tell("mcp", schema, [(one.is_error, one.content[0].text) for one in answers])
    async with fastmcp.Client(fast) as client:
        schema = (await client.list_tools())[0].input_schema
        answers = [await client.call_tool("remove", call, raise_on_error=False) for call in calls]
        tell("fastmcp", schema, [(one.is_error, one.content[0].text) for one in answers])

asyncio.run(main())
END
cat > tools/ask.mjs << 'JAVASCRIPT'
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";
const server = new McpServer({ name: "shop", version: "1" });
const inputSchema = { name: z.string(), dry_run: z.boolean().default(false) };
server.registerTool("remove", { inputSchema }, ({ name, dry_run }) => ({
  content: [{ type: "text", text: `${dry_run ? "would remove" : "removed"} ${name}` }],
}));
const client = new Client({ name: "editor", version: "1" });
const [left, right] = InMemoryTransport.createLinkedPair();
await Promise.all([server.connect(left), client.connect(right)]);
const [tool] = (await client.listTools()).tools;
const said = JSON.stringify(tool.inputSchema.additionalProperties ?? "not there");
console.log(`@modelcontextprotocol/sdk: additionalProperties is ${said}`);
for (const call of JSON.parse(process.argv[2])) {
  const answer = await client.callTool({ name: "remove", arguments: call });
  console.log("@modelcontextprotocol/sdk:", answer.isError ? "refused" : answer.content[0].text);
}
await client.close();
JAVASCRIPT

calls='[{"name": "task", "dry_run": true}, {"name": "task", "dry_run": [1]}, {"name": "task", "dryRun": true}]'
expected='mcp: additionalProperties is "not there"
mcp: would remove task
mcp: refused
mcp: removed task
fastmcp: additionalProperties is false
fastmcp: would remove task
fastmcp: refused
fastmcp: refused
@modelcontextprotocol/sdk: additionalProperties is "not there"
@modelcontextprotocol/sdk: would remove task
@modelcontextprotocol/sdk: refused
@modelcontextprotocol/sdk: removed task'
seen=$(
  tools/bin/python ask.py "$calls" 2> /dev/null
  node tools/ask.mjs "$calls"
)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
