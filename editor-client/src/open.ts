/** Opening a worktree: an existing one in a window of its own, or a new one for a new task. */

import * as vscode from "vscode";

import type { Picture } from "./picture";
import type { Answer } from "./plans";
import { choices, type Choice } from "./worktrees";
import { pickRepository } from "./merge";

export const OPEN = "sidecar.open";

interface Row extends vscode.QuickPickItem {
  readonly choice?: Choice;
}

/** Picks a worktree, or makes a new one, and opens it in a new window. */
export async function openWorktree(pictures: readonly Picture[]): Promise<void> {
  const fresh: Row = { label: "$(add) New Worktree...", detail: "A folder and a branch for a new task, from trunk" };
  const rows = choices(pictures, ({ missing }) => !missing).map(
    (choice): Row => ({
      label: `$(git-branch) ${choice.worktree.name}`,
      description: choice.worktree.branch ?? "detached",
      detail: choice.worktree.path,
      choice,
    }),
  );
  const picked = await vscode.window.showQuickPick([fresh, ...rows], { title: "Open Worktree" });
  const path = picked?.choice?.worktree.path ?? (picked === fresh ? await makeWorktree(pictures) : undefined);
  if (path !== undefined) {
    await openWindow(path);
  }
}

/** Opens a folder in a window of its own. */
export async function openWindow(path: string): Promise<void> {
  await vscode.commands.executeCommand("vscode.openFolder", vscode.Uri.file(path), { forceNewWindow: true });
}

async function makeWorktree(pictures: readonly Picture[]): Promise<string | undefined> {
  const repository = await pickRepository(pictures);
  const name =
    repository &&
    (await vscode.window.showInputBox({
      title: "New Worktree",
      prompt: "Its name, and that of its branch",
      validateInput: (text) => (text.trim() === "" ? "It needs a name." : undefined),
    }));
  if (!name) {
    return undefined;
  }
  const argument = { worktree: name.trim(), repository, confirmed: true };
  const answer = await vscode.commands.executeCommand<Answer | null>(OPEN, argument);
  return answer?.outcome === "opened" ? (answer.path ?? undefined) : undefined;
}
