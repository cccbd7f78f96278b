/** Worktree Sidecar in VS Code: it asks the server, shows what it says, and lets a person pick. */

import * as vscode from "vscode";

import { COMPARE, compareActiveFile } from "./compare";
import { MERGE, MERGE_ALL, mergeAll, mergeWorktree, UPDATE, updateWorktree } from "./merge";
import { MOVE, moveEdits } from "./move";
import { OPEN, openWorktree } from "./open";
import { showOverlaps } from "./overlaps";
import { sightings, type Picture, type Sighting } from "./picture";
import { RELEASE, RELEASE_ALL, releaseAll, releaseWorktree, RESTORE, restoreWorktree } from "./release";
import { createSession, type Session } from "./session";
import { SECTION } from "./settings";
import { createStatus } from "./status";

let session: Session | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("Worktree Sidecar", { log: true });
  const showStatus = createStatus(context);
  const started = createSession(context, log, (pictures) => {
    showStatus(sightings(pictures, folderPaths()));
  });
  const seen = (): Sighting[] => sightings(started.pictures(), folderPaths());
  session = started;

  const command = (name: string, run: () => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(`${SECTION}.${name}`, run);
  const withPictures = (name: string, server: string, run: (pictures: Picture[]) => Promise<void>): vscode.Disposable =>
    command(name, () =>
      withServer(server, async () => {
        const pictures = await started.firstPictures();
        if (pictures.length === 0) {
          await vscode.window.showInformationMessage("No git repository is open here.");
          return;
        }
        await run(pictures);
      }),
    );
  context.subscriptions.push(
    log,
    command("showOverlaps", () => showOverlaps(seen())),
    command("compare", () => withServer(COMPARE, compareActiveFile)),
    withPictures("merge", MERGE, (pictures) => mergeWorktree(pictures, started.request)),
    withPictures("mergeAll", MERGE_ALL, mergeAll),
    withPictures("update", UPDATE, updateWorktree),
    withPictures("open", OPEN, openWorktree),
    withPictures("move", MOVE, moveEdits),
    withPictures("release", RELEASE, releaseWorktree),
    withPictures("releaseAll", RELEASE_ALL, releaseAll),
    withPictures("restore", RESTORE, (pictures) => restoreWorktree(pictures, started.request)),
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
