#!/bin/sh
# Gemini CLI 0.61.0, seen on 2026-11-29 with Node 24.
# One would guess: a hook that takes longer than its `timeout` is ended, and the agent goes on.
# What happens: only the shell that runs the hook's command gets SIGTERM. Gemini then waits until nothing holds the hook's
# output any more, so that a hook that started a program with `program; exit 0` is waited for as long as that program runs.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir tools home home/.gemini folder
echo '{"private": true}' > tools/package.json
(cd tools && npm install --silent --no-audit --no-fund --ignore-scripts --no-save @google/gemini-cli@0.61.0 > /dev/null)
gemini="$work/tools/node_modules/@google/gemini-cli/bundle/gemini.js"

cat > model.py <<'PYTHON'
import http.server, json

class Model(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        part = {"content": {"role": "model", "parts": [{"text": "done"}]}, "finishReason": "STOP", "index": 0}
        body = f"data: {json.dumps({'candidates': [part]})}\n\n".encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
print(server.server_address[1], flush=True)
server.serve_forever()
PYTHON
python3 model.py > port & model=$!
trap 'kill "$model"; rm -rf "$work"' EXIT
while [ ! -s port ]; do sleep 0.1; done

# How long a session takes whose hook, limited to a second, does this.
seconds_with() {
  cat > home/.gemini/settings.json <<JSON
{"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": false},
 "general": {"enableAutoUpdate": false}, "telemetry": {"enabled": false},
 "hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "$1", "timeout": 1000}]}]}}
JSON
  began=$(date +%s)
  (cd folder && env HOME="$work/home" GEMINI_API_KEY=made-up GEMINI_CLI_TRUST_WORKSPACE=true \
    GOOGLE_GEMINI_BASE_URL="http://127.0.0.1:$(cat ../port)" node "$gemini" -p go < /dev/null > ../out 2>&1) || true
  echo $(($(date +%s) - began))
}

expected="a program in place of the shell: ended in time
a program that the shell started: waited for"
[ "$(seconds_with 'exec sleep 40')" -lt 35 ] && replaced='ended in time' || replaced='waited for'
[ "$(seconds_with 'sleep 40; exit 0')" -lt 35 ] && started='ended in time' || started='waited for'
seen="a program in place of the shell: $replaced
a program that the shell started: $started"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
