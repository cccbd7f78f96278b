/** Going back to an earlier state of a worktree: which one, from when, what would change, and then. */

import * as vscode from "vscode";

import { pickRepository, worktreeHere } from "./pick";
import type { Picture } from "./picture";
import {
  RESTORE,
  type Answer,
  type Receipt,
  type Request,
  type RestorableAnswer,
  type StatePlan,
  type StatesAnswer,
} from "./protocol";
import { ago } from "./words";

const TITLE = "Restore an Earlier State";

/** Picks a worktree, also one that is gone, unless one is given by its path, and a state of it; shows what would change before a person agrees. */
export async function restoreState(pictures: readonly Picture[], request: Request, path?: string): Promise<void> {
  const repository = path === undefined ? await pickRepository(pictures)
    : pictures.find(({ worktrees }) => worktrees.some((one) => one.path === path))?.repository;
  const worktree = path ?? (repository && (await pickKept(pictures, repository, request))?.worktree);
  if (!repository || !worktree) {
    return;
  }
  const { receipts = [] } = await request<StatesAnswer>("sidecar/plan", { repository, worktree, what: "states" });
  const rows = receipts.map((state, index) => ({
    label: `$(history) ${ago(state.time)}`,
    description: new Date(state.time * 1000).toLocaleString(),
    detail: index === receipts.length - 1 ? "the first that is kept" : changedText(state.changed),
    state,
  }));
  const placeHolder = `How was ${receipts[0]?.worktree ?? "it"}, and what changed then?`;
  const picked = await vscode.window.showQuickPick(rows, { title: TITLE, placeHolder, matchOnDescription: true, matchOnDetail: true });
  if (picked !== undefined) {
    await goBack(repository, picked.state, request);
  }
}

async function goBack(repository: string, state: Receipt, request: Request): Promise<void> {
  const plan = await request<StatePlan>("sidecar/plan", { repository, id: state.id, what: "state" });
  if (plan.sentence === undefined) {
    await vscode.window.showWarningMessage(plan.findings[0]?.message ?? "This state can't be restored.");
    return;
  }
  if (!plan.diff) {
    await vscode.window.showInformationMessage(plan.sentence);
    return;
  }
  await vscode.window.showTextDocument(vscode.Uri.file(plan.diff), { preview: true });
  const restore = { label: "$(discard) Restore", detail: plan.sentence };
  const rows = [restore, { label: "$(close) Cancel", detail: "Leave everything as it is." }];
  const options = { title: TITLE, placeHolder: "The difference is in the editor.", ignoreFocusOut: true };
  if ((await vscode.window.showQuickPick(rows, options)) === restore) {
    const argument = { id: state.id, worktree: state.worktree, repository, confirmed: true };
    await vscode.commands.executeCommand<Answer | null>(RESTORE, argument);
  }
}

/** The worktrees of which states are kept, this window's first. */
async function pickKept(
  pictures: readonly Picture[],
  repository: string,
  request: Request,
): Promise<Receipt | undefined> {
  const { receipts = [] } = await request<RestorableAnswer>("sidecar/plan", { repository, what: "states" });
  if (receipts.length === 0) {
    await vscode.window.showInformationMessage("No state of a worktree is kept yet.");
    return undefined;
  }
  const here = worktreeHere(pictures)?.worktree.name;
  const there = new Set(pictures.flatMap(({ worktrees }) => worktrees.filter(({ missing }) => !missing).map(({ name }) => name)));
  const ranked = [...receipts].sort((a, b) => Number(b.worktree === here) - Number(a.worktree === here));
  const rows = ranked.map((kept) => ({
    label: `$(${there.has(kept.worktree) ? "git-branch" : "trash"}) ${kept.worktree}`,
    description: kept.branch === null || kept.branch === kept.worktree ? "" : kept.branch,
    detail: there.has(kept.worktree) ? `kept ${ago(kept.time)}` : `gone; kept ${ago(kept.time)}`,
    kept,
  }));
  return (await vscode.window.showQuickPick(rows, { title: TITLE, placeHolder: "Of which worktree?" }))?.kept;
}

function changedText(changed: readonly string[]): string {
  const more = changed.length > 4 ? ` and ${changed.length - 4} more` : "";
  return changed.length === 0 ? "only committed or staged" : changed.slice(0, 4).join(", ") + more;
}
