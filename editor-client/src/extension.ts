/** Worktree Sidecar in VS Code: it asks the server, shows what it says, and lets a person pick. */

import * as vscode from "vscode";

import { continueMerge, copyForAgent, empty, keep, merge, mergeHere, openDiff, release, resolve, restoreRow, update } from "./actions";
import type { AroundCommands } from "./client";
import { compareActiveFile, showComparison, type CompareArgument } from "./compare";
import { keepWorktree } from "./keep";
import { createOverlapMap } from "./map/panel";
import { createMarks } from "./marks";
import { offerMcp } from "./mcp";
import { argumentOf, isOfGoneRow, meantBy, type Meant } from "./meant";
import { pickStep } from "./notices";
import { mergeAll, mergeWorktree, setVerifyAndMerge, updateWorktree, type MergeArgument } from "./merge";
import { moveEdits, openWorktree } from "./open";
import { showOverlaps } from "./overlaps";
import { named, plural, reasons, sightings, trunkCheckout, type Picture, type Sighting } from "./picture";
import { COMPARE, CONTINUE, MERGE, MOVE, RELEASE, RESTORE, UPDATE, type Answer, type UpdateAnswer } from "./protocol";
import { worktreeHere } from "./pick";
import { releaseAll, releaseWorktree, restoreWorktree } from "./release";
import { openConflicts } from "./resolve";
import { createSession, type Session } from "./session";
import { SECTION } from "./settings";
import { restoreState } from "./states";
import { createNextStep, createStatus } from "./status";
import { createWorktreesView, type WorktreesView } from "./tree";
import { isTrusted } from "./trust";
import { openFolder } from "./window";
import type { Node } from "./worktrees";

/** What concerns the texts of a worktree, which are saved before. */
const OF_TEXTS: readonly string[] = [MERGE, UPDATE, CONTINUE, RELEASE, RESTORE, MOVE];

/** What an untrusted folder is refused before anything is picked. */
const WRITES: ReadonlySet<string> = new Set([
  ...["merge", "mergeHere", "mergeAll", "update", "continue", "move", "protect", "unprotect"],
  ...["release", "releaseAll", "restore", "restoreState", "empty"],
]);

/** Whose output is in the log. */
const WITH_OUTPUT: ReadonlySet<string> = new Set(["verify-failed", "prepare-failed"]);

const GONE = "That row is no longer there. Nothing was done.";

let session: Session | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Worktree Sidecar", { log: true });
  const showStatus = createStatus(context);
  const marks = createMarks(context);
  const showNext = createNextStep(context);
  const view = createWorktreesView(context, folderPaths);
  const started = createSession(context, log, (pictures, isRunning) => {
    const inWindow = sightings(pictures, folderPaths());
    showStatus(inWindow);
    marks.seen(inWindow);
    map.update();
    view.show(pictures, isRunning);
    showNext(view.model());
  }, aroundCommands(log, view), marks, view);
  const map = createOverlapMap(context, () => started.pictures(), folderPaths, (...asked) => started.request(...asked));
  const seen = (): Sighting[] => sightings(started.pictures(), folderPaths());
  session = started;

  const command = (name: string, run: (argument?: unknown) => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(`${SECTION}.${name}`, (...given: unknown[]) => run(argumentOf(given)));
  const withServer = (name: string, run: (argument?: unknown) => Promise<void>): vscode.Disposable =>
    command(name, async (argument) => {
      if (await started.isRunning()) {
        await run(argument);
      }
    });
  const withPictures = (
    name: string,
    run: (pictures: Picture[], one: Meant | undefined, row: Node | undefined) => Promise<unknown>,
  ): vscode.Disposable =>
    withServer(name, async (argument) => {
      if (WRITES.has(name) && !(await isTrusted())) {
        return;
      }
      const pictures = await started.firstPictures();
      const row = view.node(argument);
      if (isOfGoneRow(argument, row)) {
        await vscode.window.showInformationMessage(GONE);
        return;
      }
      if (pictures.length === 0) {
        await vscode.window.showInformationMessage("No git repository is open here.");
        return;
      }
      await run(pictures, meantBy(argument, row), row);
    });
  context.subscriptions.push(
    log,
    map,
    command("answerNotice", async (argument) => {
      const node = view.node(argument);
      await (node?.kind === "notice" && pickStep(node.notice.text, node.notice.steps));
    }),
    withPictures("showMap", async (pictures) => {
      map.show(worktreeHere(pictures)?.repository);
      await Promise.resolve();
    }),
    withPictures("showOverlaps", (pictures) => showOverlaps(seen(), reasons(pictures))),
    withServer("compare", async (argument) => {
      const row = view.node(argument);
      if (isOfGoneRow(argument, row)) {
        await vscode.window.showInformationMessage(GONE);
        return;
      }
      await (row?.kind === "file" ? openDiff(row) : compareActiveFile(meantBy(argument, row)?.worktree));
    }),
    withPictures("merge", async (pictures, one) => one ? merge(one) : mergeWorktree(pictures, started.request)),
    withPictures("mergeHere", (pictures, one, row) => mergeHere(pictures, one, row, view.model())),
    withPictures("continue", continueMerge),
    withPictures("resolve", resolve),
    withPictures("mergeAll", mergeAll),
    withPictures("update", async (pictures, one) => one ? update(one) : updateWorktree(pictures)),
    withPictures("open", openWorktree),
    withPictures("openNew", async (_pictures, one) => one && openFolder(one.worktree, true)),
    withPictures("openHere", async (_pictures, one) => one && openFolder(one.worktree, false)),
    withServer("openDiff", (argument) => openDiff(view.node(argument))),
    withPictures("copyForAgent", (pictures, one) => copyForAgent(pictures, one, started.request)),
    withPictures("empty", (pictures, _one, row) => empty(pictures, row)),
    command("clearNotices", view.clearNotices),
    withPictures("move", moveEdits),
    withPictures("protect", async (pictures, one) => one ? keep(one, false) : keepWorktree(pictures, false)),
    withPictures("unprotect", async (pictures, one) => one ? keep(one, true) : keepWorktree(pictures, true)),
    withPictures("release", async (pictures, one) => one ? release(one) : releaseWorktree(pictures)),
    withPictures("releaseAll", releaseAll),
    withPictures("restore", async (pictures, _one, row) => row ? restoreRow(row) : restoreWorktree(pictures, started.request)),
    withPictures("restoreState", (pictures, one) => restoreState(pictures, started.request, one?.worktree)),
    command("restartServer", () => started.restart()),
    command("openWalkthrough", () =>
      vscode.commands.executeCommand("workbench.action.openWalkthrough", `${context.extension.id}#start`)),
    command("showLog", () => {
      log.show();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => started.restart()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      showStatus(seen());
      view.refresh();
      showNext(view.model());
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
  // Not awaited: an editor counts it as the time that the extension takes to be activated.
  void started.restart();
}

function aroundCommands(log: vscode.LogOutputChannel, view: WorktreesView): AroundCommands {
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
      } else if (name === UPDATE && (answer as UpdateAnswer | null)?.outcome === "conflicts") {
        const { path, worktree, conflicts } = answer as UpdateAnswer;
        const said = (findings ?? []).map(({ message }) => message);
        const left = conflicts.length > 0 ? [`${plural(conflicts.length, "file")} to resolve in ${worktree ?? ""}.`] : [];
        view.notice([...left, ...said].join(" "), true, []);
        await openConflicts(path ?? "", conflicts);
        for (const message of said) {
          void vscode.window.showInformationMessage(message);
        }
      } else if (findings?.some(({ code }) => WITH_OUTPUT.has(code))) {
        log.show(true);
      }
    },
    told: view.notice,
  };
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}

function folderPaths(): string[] {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.filter(({ uri }) => uri.scheme === "file").map(({ uri }) => uri.fsPath);
}
