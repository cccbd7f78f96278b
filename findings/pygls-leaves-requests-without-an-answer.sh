#!/bin/sh
# pygls 2.1.1 with lsprotocol 2025.0.0, seen on 2026-11-30 with Python 3.11 on Linux 6.
# One would guess: a request that comes after `shutdown` is answered with the error InvalidRequest (-32600), as the Language
# Server Protocol 3.17 says ("Shutdown Request").
# What happens: it gets no answer at all. An editor that asks while it closes (hover, code actions) waits for its own time
# limit, if it has one.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check pygls==2.1.1 lsprotocol==2025.0.0
cat > server.py <<'END'
from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("shop", "1")

@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(params: types.HoverParams) -> types.Hover:
    return types.Hover("a cart")

server.start_io()
END
cat > ask.py <<'END'
import json, select, subprocess, sys

def conversation(*messages):
    """Send requests one after the other; give the result, the error's code, or 'no answer' of each."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "server.py"], bufsize=0, **pipes)
    found = []
    for number, (method, params) in enumerate(messages, 1):
        body = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
        process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        process.stdin.flush()
        found.append(answer(process.stdout, number, 30.0 if number < 3 else 5.0))
    process.kill()
    process.wait()
    return found

def answer(stream, number, patience):
    while select.select([stream], [], [], patience)[0]:
        length = 0
        while line := stream.readline().strip():
            name, value = line.split(b": ")
            length = int(value) if name == b"Content-Length" else length
        body = b""
        while len(body) < length:
            body += stream.read(length - len(body))
        message = json.loads(body)
        if message.get("id") == number:
            return message["error"]["code"] if "error" in message else "result"
    return "no answer"

first = ("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
place = {"textDocument": {"uri": "file:///cart.py"}, "position": {"line": 0, "character": 0}}
print("initialize, hover:", *conversation(first, ("textDocument/hover", place)))
print("initialize, shutdown, hover:", *conversation(first, ("shutdown", None), ("textDocument/hover", place)))
END
expected="initialize, hover: result result
initialize, shutdown, hover: result result no answer"
seen=$(tools/bin/python ask.py)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
