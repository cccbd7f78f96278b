/** The palette's commands that let go of worktrees, and bring them back. */

import * as vscode from "vscode";

import { choices, pickRepository, pickWorktree, type Choice } from "./pick";
import type { Picture, Worktree } from "./picture";
import {
  RELEASE,
  RELEASE_ALL,
  RESTORE,
  type Receipt,
  type RestorableAnswer,
  type Request,
} from "./protocol";
import { deedText, KEPT_ICONS, sizeText } from "./words";

interface Row extends vscode.QuickPickItem {
  readonly receipt?: Receipt;
}

/** What can be restored, under the heading of what happened to it. */
const GROUPS: readonly { readonly whats: readonly string[]; readonly label: string }[] = [
  { whats: ["vanished", "wiped"], label: "lost without a release" },
  { whats: ["release"], label: "released" },
  { whats: ["merge"], label: "merges that can be taken back" },
];

const STATES = { integrated: "$(check) integrated", "not-integrated": "not integrated", "no-work": "no work" } as const;

/** Picks a linked worktree, those that are done first, and releases it. */
export async function releaseWorktree(pictures: readonly Picture[]): Promise<void> {
  const rank = ({ worktree }: Choice): number => ["integrated", "no-work", "not-integrated"].indexOf(worktree.integration.state);
  const offered = choices(pictures, ({ main }) => !main).sort((a, b) => rank(a) - rank(b));
  if (offered.length === 0) {
    await vscode.window.showInformationMessage("There is no linked worktree.");
    return;
  }
  const choice = await pickWorktree(offered, pictures, "Release Worktree", ({ worktree }) => stateText(worktree));
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
  const rows = GROUPS.flatMap(({ whats, label }): Row[] => {
    const group = receipts.filter(({ what }) => whats.includes(what)).map((receipt) => ({ ...receiptRow(receipt), receipt }));
    return group.length === 0 ? [] : [{ label, kind: vscode.QuickPickItemKind.Separator }, ...group];
  });
  const picked = await vscode.window.showQuickPick<Row>(rows, { title: "Restore, or Take Back a Merge", placeHolder: "What?" });
  if (picked?.receipt !== undefined) {
    await vscode.commands.executeCommand(RESTORE, { id: picked.receipt.id, repository });
  }
}

function stateText({ integration, bytes }: Worktree): string {
  const size = bytes ? `${sizeText(bytes.total)}, ${sizeText(bytes.reclaimable)} of it can be freed` : "";
  return [STATES[integration.state], size].filter((part) => part !== "").join(" · ");
}

function receiptRow({ what, worktree, branch, time, bytes }: Receipt): vscode.QuickPickItem {
  const size = bytes > 0 ? ` · ${sizeText(bytes)} kept` : "";
  return {
    label: `$(${KEPT_ICONS[what] ?? "history"}) ${worktree}`,
    description: branch === null || branch === worktree ? "" : branch,
    detail: `${deedText(what)} ${new Date(time * 1000).toLocaleString()}${size}`,
  };
}
