/** The palette's commands that let go of worktrees, and bring them back. */

import * as vscode from "vscode";

import { choices, pickRepository, pickWorktree, type Choice } from "./pick";
import type { Picture, Worktree } from "./picture";
import {
  RELEASE,
  RELEASE_ALL,
  RESTORE,
  type Answer,
  type Receipt,
  type RestorableAnswer,
  type Request,
} from "./protocol";
import { openWindow } from "./window";
import { deedText, sizeText } from "./words";

const STATES = { integrated: "$(check) integrated", "not-integrated": "not integrated", "no-work": "no work" } as const;

/** Picks a linked worktree, those that are done first, and releases it. */
export async function releaseWorktree(pictures: readonly Picture[]): Promise<void> {
  const rank = ({ worktree }: Choice): number => ["integrated", "no-work", "not-integrated"].indexOf(worktree.integration.state);
  const offered = choices(pictures, ({ main }) => !main).sort((a, b) => rank(a) - rank(b));
  if (offered.length === 0) {
    await vscode.window.showInformationMessage("There is no linked worktree.");
    return;
  }
  const choice = await pickWorktree(offered, "Release Worktree", ({ worktree }) => stateText(worktree));
  if (choice) {
    await vscode.commands.executeCommand(RELEASE, { worktree: choice.worktree.path, repository: choice.repository });
  }
}

/** Releases whatever is integrated in the repository that is meant. */
export async function releaseAll(pictures: readonly Picture[]): Promise<void> {
  const repository = await pickRepository(pictures);
  if (repository !== undefined) {
    await vscode.commands.executeCommand(RELEASE_ALL, { repository });
  }
}

/** Picks what was merged, released or has vanished, and takes it back. */
export async function restoreWorktree(pictures: readonly Picture[], request: Request): Promise<void> {
  const repository = await pickRepository(pictures);
  if (repository === undefined) {
    return;
  }
  const { receipts = [] } = await request<RestorableAnswer>("sidecar/plan", { repository, what: "restore" });
  if (receipts.length === 0) {
    await vscode.window.showInformationMessage("There is nothing to restore.");
    return;
  }
  const rows = receipts.map((receipt) => ({ ...receiptRow(receipt), receipt }));
  const picked = await vscode.window.showQuickPick(rows, { title: "Restore Worktree", placeHolder: "What?" });
  if (picked === undefined) {
    return;
  }
  const argument = { id: picked.receipt.id, repository };
  const answer = await vscode.commands.executeCommand<Answer | null>(RESTORE, argument);
  if (answer?.outcome === "restored" && answer.path) {
    const open = await vscode.window.showInformationMessage(`${picked.receipt.worktree} is back.`, "Open in New Window");
    if (open !== undefined) {
      await openWindow(answer.path);
    }
  }
}

function stateText({ integration, bytes }: Worktree): string {
  const size = bytes ? `${sizeText(bytes.total)}, ${sizeText(bytes.reclaimable)} of it can be freed` : "";
  return [STATES[integration.state], size].filter((part) => part !== "").join(" · ");
}

function receiptRow({ what, worktree, branch, time, bytes }: Receipt): vscode.QuickPickItem {
  const size = bytes > 0 ? ` · ${sizeText(bytes)} kept` : "";
  return {
    label: `$(history) ${worktree}`,
    description: branch === null || branch === worktree ? "" : branch,
    detail: `${deedText(what)} ${new Date(time * 1000).toLocaleString()}${size}`,
  };
}
