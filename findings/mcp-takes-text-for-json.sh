#!/bin/sh
# mcp 2.3.0 (the Model Context Protocol's Python SDK), seen on 2026-11-30 with Python 3.11.
# One would guess: a tool's parameter that is declared as text, optional or not, gets the text that the client sends.
# What happens: for `str | None`, and not for `str`, text that is JSON is parsed first: "null" is no text at all, and "[1]" or
# "{}" (a commit message, a file's content) is refused as no text, though the schema that the client was given allows any.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check mcp==2.3.0

cat > ask.py <<'END'
import asyncio
from mcp.client import Client
from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")

@server.tool()
def needed(text: str) -> str:
    return repr(text)

@server.tool()
def optional(text: str | None = None) -> str:
    return repr(text)

async def main():
    async with Client(server) as client:
        for text in ("fix tax", "12", "null", "[1]", "{}"):
            answers = [await client.call_tool(name, {"text": text}) for name in ("needed", "optional")]
            print(text + ":", *("refused" if one.is_error else one.content[0].text for one in answers))
        for tool in (await client.list_tools()).tools:
            print(tool.name + ":", tool.input_schema["properties"]["text"])

asyncio.run(main())
END
expected="fix tax: 'fix tax' 'fix tax'
12: '12' '12'
null: 'null' None
[1]: '[1]' refused
{}: '{}' refused
needed: {'title': 'Text', 'type': 'string'}
optional: {'anyOf': [{'type': 'string'}, {'type': 'null'}], 'default': None, 'title': 'Text'}"
seen=$(tools/bin/python ask.py 2> /dev/null)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
