#!/bin/sh
# lsprotocol 2025.0.0 with pygls 2.1.1, seen on 2026-12-01 with Python 3.11.
# One would guess: what a server answers to `textDocument/codeAction`, actions or plain commands (`(Command | CodeAction)[]`),
# is for a client what the server sent, or an error.
# What happens: an action that has a command, which runs after its edit, is read as a plain command whose name is the Python
# text of that command. Edit, kind and data are gone, and running it asks the server for a command that it does not have.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check pygls==2.1.1 lsprotocol==2025.0.0

cat > serve.py << 'END'
from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("shop", "1")

@server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
def code_actions(params):
    start = types.Range(types.Position(0, 0), types.Position(0, 0))
    edit = types.WorkspaceEdit({params.text_document.uri: [types.TextEdit(start, "import tax\n")]})
    command = types.Command("Count", "shop.count")
    return [
        command,
        types.CodeAction("Import", kind=types.CodeActionKind.QuickFix, edit=edit),
        types.CodeAction("Import and count", kind=types.CodeActionKind.QuickFix, edit=edit, command=command),
    ]

server.start_io()
END
cat > ask.py << 'END'
import asyncio, sys
from lsprotocol import types
from pygls.lsp.client import LanguageClient

async def main():
    client = LanguageClient("editor", "1")
    await client.start_io(sys.executable, "serve.py")
    await client.initialize_async(types.InitializeParams(capabilities=types.ClientCapabilities()))
    document, start = types.TextDocumentIdentifier("file:///shop.py"), types.Position(0, 0)
    context = types.CodeActionContext(diagnostics=[])
    asked = types.CodeActionParams(document, types.Range(start, start), context)
    for one in await client.text_document_code_action_async(asked):
        edited = "an edit" if getattr(one, "edit", None) else "no edit"
        print(f"{one.title}: {type(one).__name__}, {edited}, command: {one.command}")
    await client.shutdown_async(None)
    client.exit(None)

asyncio.run(main())
END
expected="Count: Command, no edit, command: shop.count
Import: CodeAction, an edit, command: None
Import and count: Command, no edit, command: {'title': 'Count', 'command': 'shop.count'}"
seen=$(tools/bin/python ask.py 2> /dev/null)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
