/** Worktree Sidecar in VS Code: it asks the server, shows what it says, and lets a person pick. */

import * as vscode from "vscode";

import { COMPARE, compareActiveFile } from "./compare";
import { showOverlaps } from "./overlaps";
import { sightings, type Picture, type Sighting } from "./picture";
import { createSession, type Session } from "./session";
import { SECTION } from "./settings";
import { createStatus } from "./status";

let session: Session | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("Worktree Sidecar", { log: true });
  const pictures = new Map<string, Picture>();
  const seen = (): Sighting[] => sightings(pictures.values(), folderPaths());
  const showStatus = createStatus(context);
  const started = createSession(context, log, (picture) => {
    if (picture) {
      pictures.set(picture.repository, picture);
    } else {
      pictures.clear();
    }
    showStatus(seen());
  });
  session = started;

  const command = (name: string, run: () => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(`${SECTION}.${name}`, run);
  context.subscriptions.push(
    log,
    command("showOverlaps", () => showOverlaps(seen())),
    command("compare", () => withServer(COMPARE, compareActiveFile)),
    command("restartServer", () => started.restart()),
    command("showLog", () => {
      log.show();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => started.restart()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      showStatus(seen());
    }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(`${SECTION}.server.path`)) {
        void started.restart();
      } else if (change.affectsConfiguration(SECTION)) {
        void started.settingsChanged();
      }
    }),
  );
  await started.restart();
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}

/** Runs `run` when the server has registered `serverCommand`, which it has exactly while it runs. */
async function withServer(serverCommand: string, run: () => Promise<void>): Promise<void> {
  if ((await vscode.commands.getCommands(true)).includes(serverCommand)) {
    await run();
    return;
  }
  const answer = await vscode.window.showErrorMessage(
    "The Worktree Sidecar server is not running.",
    "Restart Server",
    "Show Log",
  );
  if (answer === "Restart Server") {
    await vscode.commands.executeCommand(`${SECTION}.restartServer`);
  } else if (answer === "Show Log") {
    await vscode.commands.executeCommand(`${SECTION}.showLog`);
  }
}

function folderPaths(): string[] {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.filter(({ uri }) => uri.scheme === "file").map(({ uri }) => uri.fsPath);
}
