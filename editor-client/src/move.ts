/** Moving what is edited on trunk itself into a worktree of its own. */

import * as vscode from "vscode";

import type { Picture, Worktree } from "./picture";
import type { Answer } from "./plans";
import { pickRepository } from "./merge";
import { openWindow } from "./open";

export const MOVE = "sidecar.move";

/** The checkout of trunk in the repository that a command's argument names, or in the only one. */
export function trunkCheckout(pictures: readonly Picture[], argument: unknown): Worktree | undefined {
  const wanted = (argument as { readonly repository?: unknown } | undefined)?.repository ?? pictures[0]?.repository;
  const picture = pictures.find(({ repository }) => repository === wanted);
  return picture?.worktrees.find(({ branch }) => branch !== null && branch === picture.trunk?.branch);
}

/** Asks for the name of the new worktree; the server shows the plan and does it; then its window is opened. */
export async function moveEdits(pictures: readonly Picture[]): Promise<void> {
  const repository = await pickRepository(pictures);
  if (repository === undefined) {
    return;
  }
  const name = await vscode.window.showInputBox({
    title: "Move Edits off Trunk",
    prompt: "The name of the new worktree and of its branch; empty for one that is free",
  });
  if (name === undefined) {
    return;
  }
  const worktree = name.trim() === "" ? {} : { worktree: name.trim() };
  const answer = await vscode.commands.executeCommand<Answer | null>(MOVE, { repository, ...worktree });
  if (answer?.outcome === "opened" && answer.path) {
    await openWindow(answer.path);
  }
}
