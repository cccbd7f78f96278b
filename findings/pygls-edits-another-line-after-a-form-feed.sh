#!/bin/sh
# pygls 2.1.1 with lsprotocol 2025.0.0, seen on 2026-12-01 with Python 3.11; vscode-languageserver-textdocument 1.0.16 (Node.js 20).
# One would guess: a server that is sent each edit (incremental synchronization) has the text that the editor has.
# What happens: lines end at "\n", "\r\n" or "\r" in the Language Server Protocol 3.17, and for pygls also at a form feed, as
# between the parts of old C and Lisp files, or at U+2028. After one, edits land in a line before the one that was meant.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check pygls==2.1.1 lsprotocol==2025.0.0
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools vscode-languageserver-textdocument@1.0.16

cat > serve.py << 'END'
from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("shop", "1", text_document_sync_kind=types.TextDocumentSyncKind.Incremental)

@server.feature("shop/text")
def text(params):
    return {"text": server.workspace.get_text_document(params.uri).source}

server.start_io()
END
cat > ask.py << 'END'
import asyncio, json, sys
from lsprotocol import types
from pygls.lsp.client import LanguageClient

async def main():
    asked = json.load(open("edit.json"))
    client = LanguageClient("editor", "1")
    await client.start_io(sys.executable, "serve.py")
    await client.initialize_async(types.InitializeParams(capabilities=types.ClientCapabilities()))
    document = types.TextDocumentItem("file:///shop.py", "python", 1, asked["text"])
    client.text_document_did_open(types.DidOpenTextDocumentParams(document))
    places = [types.Position(**asked["range"][one]) for one in ("start", "end")]
    change = types.TextDocumentContentChangePartial(types.Range(*places), asked["new"])
    edited = types.VersionedTextDocumentIdentifier(uri=document.uri, version=2)
    client.text_document_did_change(types.DidChangeTextDocumentParams(edited, [change]))
    answer = await client.protocol.send_request_async("shop/text", {"uri": document.uri})
    print(json.dumps(answer.text))
    await client.shutdown_async(None)
    client.exit(None)

asyncio.run(main())
END
cat > tools/ask.mjs << 'JAVASCRIPT'
import { readFileSync } from "node:fs";
import { TextDocument } from "vscode-languageserver-textdocument";
const asked = JSON.parse(readFileSync("edit.json"));
const document = TextDocument.create("file:///shop.py", "python", 1, asked.text);
const edited = TextDocument.update(document, [{ range: asked.range, text: asked.new }], 2);
console.log(JSON.stringify(edited.getText()));
JAVASCRIPT
cat > edit.json << 'END'
{"text": "tax = 1\n\f\nrate = 2\nprice = 3\n", "new": "4",
 "range": {"start": {"line": 3, "character": 8}, "end": {"line": 3, "character": 9}}}
END

expected='vscode-languageserver-textdocument: "tax = 1\n\f\nrate = 2\nprice = 4\n"
pygls: "tax = 1\n\f\nrate = 24price = 3\n"'
seen=$(
  printf '%s\n' "vscode-languageserver-textdocument: $(node tools/ask.mjs)"
  printf '%s\n' "pygls: $(tools/bin/python ask.py 2> /dev/null)"
)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
