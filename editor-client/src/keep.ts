/** Protecting a worktree from being removed, and no longer. */

import * as vscode from "vscode";

import { choices, pickWorktree } from "./pick";
import type { Picture } from "./picture";
import { KEEP } from "./protocol";

/** Picks a linked worktree that is not protected yet, or with `undo` one that is; that is the consent. */
export async function keepWorktree(pictures: readonly Picture[], undo: boolean): Promise<void> {
  const offered = choices(pictures, (worktree) => !worktree.main && worktree.protected === undo);
  if (offered.length === 0) {
    await vscode.window.showInformationMessage(`There is no linked worktree that is ${undo ? "" : "not "}protected.`);
    return;
  }
  const choice = await pickWorktree(offered, pictures, undo ? "Unprotect Worktree" : "Protect Worktree");
  if (choice) {
    const { worktree, repository } = choice;
    await vscode.commands.executeCommand(KEEP, { worktree: worktree.path, repository, undo, confirmed: true });
  }
}
