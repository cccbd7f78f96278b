/** Worktree Sidecar in VS Code: it asks the server, shows what it says, and lets a person pick. */

import * as vscode from "vscode";

import type { AroundCommands } from "./client";
import { compareActiveFile, showComparison, type CompareArgument } from "./compare";
import { keepWorktree } from "./keep";
import { createOverlapMap } from "./map/panel";
import { createMarks } from "./marks";
import { offerMcp } from "./mcp";
import { mergeAll, mergeWorktree, setVerifyAndMerge, updateWorktree, type MergeArgument } from "./merge";
import { moveEdits, openWorktree } from "./open";
import { showOverlaps } from "./overlaps";
import { named, reasons, sightings, trunkCheckout, type Picture, type Sighting } from "./picture";
import { COMPARE, MERGE, MOVE, RELEASE, RESTORE, UPDATE, type Answer } from "./protocol";
import { worktreeHere } from "./pick";
import { releaseAll, releaseWorktree, restoreWorktree } from "./release";
import { createSession, type Session } from "./session";
import { SECTION } from "./settings";
import { restoreState } from "./states";
import { createStatus } from "./status";

/** What concerns the texts of a worktree, which are saved before. */
const OF_TEXTS: readonly string[] = [MERGE, UPDATE, RELEASE, RESTORE, MOVE];

/** Whose output is in the log. */
const WITH_OUTPUT: ReadonlySet<string> = new Set(["verify-failed", "prepare-failed"]);

let session: Session | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Worktree Sidecar", { log: true });
  const showStatus = createStatus(context);
  const marks = createMarks(context);
  const started = createSession(context, log, (pictures) => {
    const inWindow = sightings(pictures, folderPaths());
    showStatus(inWindow);
    marks.seen(inWindow);
    map.update();
  }, aroundCommands(log), marks);
  const map = createOverlapMap(context, () => started.pictures(), folderPaths, (...asked) => started.request(...asked));
  const seen = (): Sighting[] => sightings(started.pictures(), folderPaths());
  session = started;

  const command = (name: string, run: () => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(`${SECTION}.${name}`, run);
  const withServer = (name: string, run: () => Promise<void>): vscode.Disposable =>
    command(name, async () => {
      if (await started.isRunning()) {
        await run();
      }
    });
  const withPictures = (name: string, run: (pictures: Picture[]) => Promise<void>): vscode.Disposable =>
    withServer(name, async () => {
      const pictures = await started.firstPictures();
      if (pictures.length === 0) {
        await vscode.window.showInformationMessage("No git repository is open here.");
        return;
      }
      await run(pictures);
    });
  context.subscriptions.push(
    log,
    map,
    withPictures("showMap", async (pictures) => {
      map.show(worktreeHere(pictures)?.repository);
      await Promise.resolve();
    }),
    withPictures("showOverlaps", (pictures) => showOverlaps(seen(), reasons(pictures))),
    withServer("compare", compareActiveFile),
    withPictures("merge", (pictures) => mergeWorktree(pictures, started.request)),
    withPictures("mergeAll", mergeAll),
    withPictures("update", updateWorktree),
    withPictures("open", openWorktree),
    withPictures("move", moveEdits),
    withPictures("protect", (pictures) => keepWorktree(pictures, false)),
    withPictures("unprotect", (pictures) => keepWorktree(pictures, true)),
    withPictures("release", releaseWorktree),
    withPictures("releaseAll", releaseAll),
    withPictures("restore", (pictures) => restoreWorktree(pictures, started.request)),
    withPictures("restoreState", (pictures) => restoreState(pictures, started.request)),
    command("restartServer", () => started.restart()),
    command("openWalkthrough", () =>
      vscode.commands.executeCommand("workbench.action.openWalkthrough", `${context.extension.id}#start`)),
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
  offerMcp(context, log);
  void started.restart(); // not awaited: an editor counts it as the time that the extension takes to be activated
}

function aroundCommands(log: vscode.LogOutputChannel): AroundCommands {
  return {
    savesFirst: (name, argument, pictures) => {
      if (!OF_TEXTS.includes(name)) {
        return undefined;
      }
      return name === MOVE ? trunkCheckout(pictures, argument) : named(pictures, argument);
    },
    answered: async (name, argument, answer) => {
      if (name === COMPARE) {
        await showComparison(argument as CompareArgument, answer);
        return;
      }
      const { asks, closes, findings } = (answer ?? {}) as Partial<Answer>;
      if (asks === "verify") {
        await setVerifyAndMerge(argument as MergeArgument);
      } else if (closes) {
        await vscode.commands.executeCommand("workbench.action.closeWindow");
      } else if (findings?.some(({ code }) => WITH_OUTPUT.has(code))) {
        log.show(true);
      }
    },
  };
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}

function folderPaths(): string[] {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.filter(({ uri }) => uri.scheme === "file").map(({ uri }) => uri.fsPath);
}
