#!/bin/sh
# opencode 1.18.33, seen on 2026-11-30 with Python 3.11 on Linux x86-64.
# One would guess: what a language server says of the file that the agent has just written reaches the model, warnings too:
# opencode is their client, and `opencode debug lsp diagnostics` lists them all.
# What happens: the tool's answer has the errors only. Where all is warnings, as where a merge will conflict, or something is
# deprecated, the model is told nothing at all.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p tools home/.config/opencode folder scratch
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools opencode-ai@1.18.33
set -- tools/node_modules/opencode-linux-*/bin/opencode
opencode="$work/$1"

# A language server that says four things of each file: an error, a warning, an information and a hint.
cat > server.py <<'PYTHON'
import json, sys

def send(**message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    sys.stdout.buffer.flush()

start = {"line": 0, "character": 0}
levels = {1: "error", 2: "warning", 3: "information", 4: "hint"}
found = [{"range": {"start": start, "end": start}, "severity": key, "message": f"<{levels[key]}>"} for key in levels]
while line := sys.stdin.buffer.readline():
    length = int(line.split(b":")[1])
    sys.stdin.buffer.readline()
    asked = json.loads(sys.stdin.buffer.read(length))
    if asked.get("method") == "initialize":
        send(id=asked["id"], result={"capabilities": {"textDocumentSync": 1}})
    elif asked.get("method") in ("textDocument/didOpen", "textDocument/didChange"):
        uri = asked["params"]["textDocument"]["uri"]
        send(method="textDocument/publishDiagnostics", params={"uri": uri, "diagnostics": found})
PYTHON

# A model that writes the file once; `told` is what it was answered.
cat > model.py <<'PYTHON'
import http.server, json

class Model(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answers = [one["content"] for one in asked["messages"] if one["role"] == "tool"]
        if answers:
            open("told", "w").write(str(answers[0]))
        delta, end = {"role": "assistant", "content": "done"}, "stop"
        if asked.get("tools") and not answers:
            call = {"name": "write", "arguments": json.dumps({"filePath": "cart.txt", "content": "milk\n"})}
            delta, end = {"role": "assistant", "tool_calls": [{"index": 0, "id": "1", "type": "function", "function": call}]}, "tool_calls"
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for choice in ({"index": 0, "delta": delta, "finish_reason": None}, {"index": 0, "delta": {}, "finish_reason": end}):
            piece = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "made-up", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(piece)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
print(server.server_address[1], flush=True)
server.serve_forever()
PYTHON
python3 model.py > port & model=$!
trap 'kill "$model"; rm -rf "$work"' EXIT
while [ ! -s port ]; do sleep 0.1; done

cat > home/.config/opencode/opencode.json <<JSON
{"autoupdate": false, "share": "disabled", "permission": "allow", "model": "own/made-up",
 "provider": {"own": {"npm": "@ai-sdk/openai-compatible", "name": "own",
   "options": {"baseURL": "http://127.0.0.1:$(cat port)/v1", "apiKey": "made-up"},
   "models": {"made-up": {"name": "made-up", "tool_call": true, "limit": {"context": 100000, "output": 8000}}}}},
 "lsp": {"own": {"command": ["python3", "$work/server.py"], "extensions": [".txt"]}}}
JSON
run() {
  (cd folder && env HOME="$work/home" TMPDIR="$work/scratch" XDG_CONFIG_HOME="$work/home/.config" XDG_DATA_HOME="$work/home/.local/share" \
    OPENCODE_DISABLE_AUTOUPDATE=1 OPENCODE_DISABLE_MODELS_FETCH=1 OPENCODE_DISABLE_LSP_DOWNLOAD=1 \
    "$opencode" "$@" < /dev/null 2> /dev/null)
}
levels() { grep -o '<\(error\|warning\|information\|hint\)>' | sort -u | paste -sd' '; }

expected="the client has: <error> <hint> <information> <warning>
the model is told: <error>"
run run go > /dev/null
seen="the client has: $(run debug lsp diagnostics cart.txt | levels)
the model is told: $(levels < told)"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
